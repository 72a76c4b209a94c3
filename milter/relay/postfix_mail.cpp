#include "relay/postfix_mail.hpp"

#include "base/handle.hpp"
#include "soap/curl_option.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string_view>

namespace demail::relay {

namespace {

constexpr long longest_seconds = 60;

std::size_t read_message(char *out, std::size_t size, std::size_t count, void *rest) noexcept {
    auto &left = *static_cast<std::string_view *>(rest);
    const std::size_t taken = left.copy(out, size * count);
    left.remove_prefix(taken);
    return taken;
}

} // namespace

void mail_to(const std::string &socket, const std::string &recipient, const std::string &message) {
    const Handle<CURL, curl_easy_cleanup> handle(curl_easy_init());
    const Handle<curl_slist, curl_slist_free_all> recipients(
        curl_slist_append(nullptr, ("<" + recipient + ">").c_str()));
    if (!handle || !recipients) throw std::runtime_error("libcurl has no handle to give");
    CURL *curl = handle.get();
    std::string_view rest = message;
    std::array<char, CURL_ERROR_SIZE> error{};
    set(curl, CURLOPT_URL, "smtp://localhost/localhost");
    set(curl, CURLOPT_UNIX_SOCKET_PATH, socket.c_str());
    set(curl, CURLOPT_PROTOCOLS_STR, "smtp");
    set(curl, CURLOPT_PROXY, "");
    set(curl, CURLOPT_NOSIGNAL, 1L);
    set(curl, CURLOPT_TIMEOUT, longest_seconds);
    set(curl, CURLOPT_MAIL_FROM, "<>");
    set(curl, CURLOPT_MAIL_RCPT, recipients.get());
    set(curl, CURLOPT_UPLOAD, 1L);
    set(curl, CURLOPT_READFUNCTION, read_message);
    set(curl, CURLOPT_READDATA, &rest);
    set(curl, CURLOPT_ERRORBUFFER, error.data());
    if (const CURLcode code = curl_easy_perform(curl); code != CURLE_OK)
        throw std::runtime_error(
            fmt::format("Postfix did not take the mail to the sender at {} ([relay] deliver_to): "
                        "{}; it is tried again; "
                        "see whether that service of master.cf runs: demailctl setup --print",
                        socket, error[0] != '\0' ? error.data() : curl_easy_strerror(code)));
}

} // namespace demail::relay
