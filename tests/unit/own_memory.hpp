// What lies in this process's writable memory.
#pragma once

#include "base/digest.hpp"
#include "base/handle.hpp"
#include "base/secret.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace demail::test {

/// Sanitizers keep copies of their own, and mlock() does nothing under them.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool sanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif
#else
inline constexpr bool sanitized = false;
#endif

/// Starts this program again with all of its functions bound. Else the dynamic linker saves the
/// vector registers on the stack at a function's first call, and in them may be what was copied
/// last (demail-cardd.service sets LD_BIND_NOW too). Call first in main.
inline void bind_all_now(char **arguments) {
    if (::getenv("LD_BIND_NOW") != nullptr) return;
    ::setenv("LD_BIND_NOW", "1", 1);
    ::execv("/proc/self/exe", arguments);
}

/// Digits that nobody else has, made where they lie: a loop over a local one would leave them on
/// the stack.
inline Secret random_digits(std::size_t size) {
    Secret digits(size);
    digits.resize(size);
    random_bytes(reinterpret_cast<unsigned char *>(digits.data()), size);
    for (std::size_t i = 0; i < size; ++i)
        digits.data()[i] =
            static_cast<char>('0' + static_cast<unsigned char>(digits.data()[i]) % 10);
    return digits;
}

/// How often the bytes lie in writable memory. Regions of more than 256 MiB are a sanitizer's.
inline int copies_in_memory(std::string_view bytes) {
    constexpr std::size_t piece = std::size_t{1} << 20U;
    const Fd memory(::open("/proc/self/mem", O_RDONLY | O_CLOEXEC));
    // Ours is not to count: what is read for the search.
    std::vector<char> read(piece + bytes.size());
    const auto *const own_begin = read.data();
    const auto *const own_end = own_begin + read.size();
    int found = 0;
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        unsigned long begin = 0, end = 0;
        char rights[8] = {};
        if (std::sscanf(line.c_str(), "%lx-%lx %7s", &begin, &end, rights) != 3) continue;
        if (rights[0] != 'r' || rights[1] != 'w' || end - begin > 256UL << 20U) continue;
        for (unsigned long at = begin; at < end; at += piece) {
            const std::size_t size = std::min<std::size_t>(read.size(), end - at);
            const ssize_t got = ::pread(memory.get(), read.data(), size, static_cast<off_t>(at));
            if (got <= 0) break;
            const std::string_view seen(read.data(), static_cast<std::size_t>(got));
            for (auto place = seen.find(bytes); place != std::string_view::npos && place < piece;
                 place = seen.find(bytes, place + 1)) {
                const auto address = reinterpret_cast<const char *>(at + place);
                if (address < own_begin || address >= own_end) ++found;
            }
        }
    }
    std::fill(read.begin(), read.end(), '\0');
    return found;
}

/// What /proc/self/smaps says of the pages at `address`: "rd wr mr mw me lo ac dd wf sd".
inline std::string page_flags(const void *address) {
    const auto wanted = reinterpret_cast<std::uintptr_t>(address);
    std::ifstream maps("/proc/self/smaps");
    bool here = false;
    for (std::string line; std::getline(maps, line);) {
        unsigned long begin = 0, end = 0;
        if (std::sscanf(line.c_str(), "%lx-%lx ", &begin, &end) == 2)
            here = wanted >= begin && wanted < end;
        else if (here && line.rfind("VmFlags:", 0) == 0)
            return line + " ";
    }
    return "";
}

} // namespace demail::test
