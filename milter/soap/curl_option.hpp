// Setting libcurl's options with a check.
#pragma once

#include <curl/curl.h>
#include <fmt/format.h>

#include <stdexcept>

namespace demail {

/// Throws std::runtime_error where this libcurl does not know the option or its value.
template <typename T>
void set(CURL *handle, CURLoption option, T value) {
    if (const CURLcode code = curl_easy_setopt(handle, option, value); code != CURLE_OK)
        throw std::runtime_error(fmt::format("libcurl does not know option {}: {}",
                                             static_cast<int>(option), curl_easy_strerror(code)));
}

} // namespace demail
