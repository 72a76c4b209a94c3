#include "module/daemon.hpp"

#include "module/say.hpp"

#include <utility>

namespace demail::module {
namespace {

using namespace std::chrono_literals;

/// The daemon gives up first, so that its sentence arrives.
constexpr auto slack = 2s;
constexpr std::uint32_t longest_wait_ms = 60'000;
constexpr auto pause_without_daemon = 500ms;

CK_RV meaning(const wire::NoReply &no_reply) {
    say(no_reply.sentence);
    switch (no_reply.why) {
    case wire::NoReply::Why::unreachable:
    case wire::NoReply::Why::late:
    case wire::NoReply::Why::garbled:
    case wire::NoReply::Why::uncertain:
        return CKR_DEVICE_ERROR;
    case wire::NoReply::Why::impostor:
        return CKR_FUNCTION_REJECTED;
    }
    return CKR_GENERAL_ERROR;
}

} // namespace

template <typename Body>
Body Daemon::ask(const wire::Request &request, std::chrono::milliseconds time) {
    auto answer = client_.call(request, wire::Clock::now() + time);
    if (const auto *none = std::get_if<wire::NoReply>(&answer)) throw Refused{meaning(*none)};
    auto &reply = std::get<wire::Reply>(answer);
    if (reply.rv != wire::rv_ok) {
        say(reply.sentence);
        throw Refused{static_cast<CK_RV>(reply.rv)};
    }
    auto *body = std::get_if<Body>(&reply.body);
    require(body != nullptr, CKR_DEVICE_ERROR);
    return std::move(*body);
}

template <typename Body>
std::optional<Body> Daemon::answer(const wire::Request &request) {
    try {
        return ask<Body>(request, deadlines_.question);
    } catch (const Refused &) {
        return std::nullopt;
    }
}

std::optional<wire::TokenList> Daemon::tokens() {
    return answer<wire::TokenList>(wire::ListTokens{});
}

std::optional<wire::ObjectList> Daemon::objects(const std::string &serial) {
    return answer<wire::ObjectList>(wire::ListObjects{serial});
}

std::string Daemon::sign(wire::Sign request) {
    request.deadline_ms = static_cast<std::uint32_t>(deadlines_.card.count());
    return ask<wire::Signature>(std::move(request), deadlines_.card + slack).bytes;
}

Secret Daemon::decrypt(wire::Decrypt request) {
    request.deadline_ms = static_cast<std::uint32_t>(deadlines_.card.count());
    return ask<wire::Plaintext>(std::move(request), deadlines_.card + slack).bytes;
}

void Daemon::login(wire::Login request) {
    static_cast<void>(ask<wire::Done>(std::move(request), deadlines_.card + slack));
}

void Daemon::logout(const std::string &serial) {
    static_cast<void>(answer<wire::Done>(wire::Logout{serial}));
}

void Daemon::wait_for_change(std::uint64_t generation) {
    const std::chrono::milliseconds time{longest_wait_ms};
    auto answer = client_.call(wire::WaitForChange{generation, longest_wait_ms},
                               wire::Clock::now() + time + slack);
    const auto *reply = std::get_if<wire::Reply>(&answer);
    if (reply != nullptr && reply->rv == wire::rv_ok) return;
    std::unique_lock lock(mutex_);
    stop_.wait_for(lock, pause_without_daemon, [this] { return stopped_; });
}

void Daemon::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
    }
    stop_.notify_all();
    client_.stop();
}

bool Daemon::stopped() const {
    const std::lock_guard lock(mutex_);
    return stopped_;
}

} // namespace demail::module
