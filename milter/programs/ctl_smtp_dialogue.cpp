#include "programs/ctl_smtp_dialogue.hpp"

#include "soap/curl_option.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <array>
#include <cctype>
#include <cstdlib>
#include <stdexcept>

namespace demail::ctl {

namespace {

constexpr long longest_milliseconds = 30'000;
constexpr std::size_t longest_reply = 65536;

} // namespace

SmtpDialogue::SmtpDialogue(const SmtpEndpoint &endpoint) : handle_(curl_easy_init()) {
    if (!handle_) throw std::runtime_error("libcurl has no handle to give");
    CURL *curl = handle_.get();
    const bool unix_socket = !endpoint.socket.empty();
    const bool literal = endpoint.host.find(':') != std::string::npos;
    const std::string host = unix_socket ? "localhost"
                             : literal   ? "[" + endpoint.host + "]"
                                         : endpoint.host;
    const std::string url = (endpoint.tls_at_once ? "smtps://" : "smtp://") + host +
                            (unix_socket ? "" : ":" + endpoint.port) + "/localhost";
    std::array<char, CURL_ERROR_SIZE> error{};
    set(curl, CURLOPT_URL, url.c_str());
    if (unix_socket) set(curl, CURLOPT_UNIX_SOCKET_PATH, endpoint.socket.c_str());
    set(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    set(curl, CURLOPT_PROXY, "");
    set(curl, CURLOPT_NOSIGNAL, 1L);
    set(curl, CURLOPT_CONNECTTIMEOUT_MS, longest_milliseconds);
    set(curl, CURLOPT_USE_SSL, static_cast<long>(CURLUSESSL_TRY));
    set(curl, CURLOPT_SSL_VERIFYPEER, 0L);
    set(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    set(curl, CURLOPT_CONNECT_ONLY, 1L);
    set(curl, CURLOPT_ERRORBUFFER, error.data());
    const CURLcode code = curl_easy_perform(curl);
    set(curl, CURLOPT_ERRORBUFFER, static_cast<char *>(nullptr));
    if (code != CURLE_OK)
        throw std::runtime_error(error[0] != '\0' ? error.data() : curl_easy_strerror(code));
}

SmtpReply SmtpDialogue::command(std::string_view line) {
    return send(std::string(line) + "\r\n") ? reply() : SmtpReply{};
}

bool SmtpDialogue::wait(short events) {
    curl_socket_t socket = CURL_SOCKET_BAD;
    curl_easy_getinfo(handle_.get(), CURLINFO_ACTIVESOCKET, &socket);
    pollfd waiting{static_cast<int>(socket), events, 0};
    return socket != CURL_SOCKET_BAD && ::poll(&waiting, 1, longest_milliseconds) > 0;
}

bool SmtpDialogue::send(std::string_view bytes) {
    while (!bytes.empty()) {
        std::size_t sent = 0;
        const CURLcode code = curl_easy_send(handle_.get(), bytes.data(), bytes.size(), &sent);
        if (code == CURLE_AGAIN ? !wait(POLLOUT) : code != CURLE_OK) return false;
        bytes.remove_prefix(sent);
    }
    return true;
}

/// All lines of it; what came behind them stays in got_.
SmtpReply SmtpDialogue::reply() {
    std::array<char, 4096> buffer;
    while (true) {
        for (std::size_t end = got_.find("\r\n"); end != std::string::npos;
             end = got_.find("\r\n")) {
            const std::string line = got_.substr(0, end);
            got_.erase(0, end + 2);
            if (line.size() < 3 || std::isdigit(static_cast<unsigned char>(line[0])) == 0)
                return {};
            if (line.size() > 3 && line[3] == '-') continue;
            return {std::atoi(line.substr(0, 3).c_str()), line};
        }
        if (got_.size() > longest_reply) return {};
        std::size_t count = 0;
        const CURLcode code = curl_easy_recv(handle_.get(), buffer.data(), buffer.size(), &count);
        if (code == CURLE_AGAIN ? !wait(POLLIN) : code != CURLE_OK || count == 0) return {};
        got_.append(buffer.data(), count);
    }
}

} // namespace demail::ctl
