#include "module/daemon.hpp"

#include "module/say.hpp"

#include <algorithm>
#include <utility>

namespace demail::module {
namespace {

using namespace std::chrono_literals;

/// The daemon gives up first, so that its sentence arrives.
constexpr auto slack = 2s;
constexpr auto pause_without_card = 50ms;
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
Body Daemon::ask(const wire::Request &request, wire::Clock::time_point deadline) {
    auto answer = client_.call(request, deadline);
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

/// A daemon that knows a card waits for it by itself; one that was just started has not seen it
/// yet.
template <typename Body, typename Operation>
Body Daemon::use_card(Operation operation) {
    const auto deadline = wire::Clock::now() + deadlines_.card;
    for (;;) {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(deadline - wire::Clock::now());
        operation.deadline_ms =
            static_cast<std::uint32_t>(std::max<std::chrono::milliseconds::rep>(left.count(), 1));
        try {
            return ask<Body>(operation, deadline + slack);
        } catch (const Refused &refused) {
            if (refused.rv != CKR_TOKEN_NOT_PRESENT || stopped() || wire::Clock::now() >= deadline)
                throw;
        }
        wait_for_card(operation.serial, deadline);
    }
}

template <typename Body>
std::optional<Body> Daemon::answer(const wire::Request &request) {
    try {
        return ask<Body>(request, wire::Clock::now() + deadlines_.question);
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
    return use_card<wire::Signature>(std::move(request)).bytes;
}

Secret Daemon::decrypt(wire::Decrypt request) {
    return use_card<wire::Plaintext>(std::move(request)).bytes;
}

void Daemon::login(wire::Login request) {
    static_cast<void>(
        ask<wire::Done>(std::move(request), wire::Clock::now() + deadlines_.card + slack));
}

void Daemon::logout(const std::string &serial) {
    static_cast<void>(answer<wire::Done>(wire::Logout{serial}));
}

void Daemon::wait_for_change(std::uint64_t generation) {
    const std::chrono::milliseconds time{longest_wait_ms};
    auto answer = client_.call(wire::WaitForChange{generation, longest_wait_ms},
                               wire::Clock::now() + time + slack);
    const auto *reply = std::get_if<wire::Reply>(&answer);
    if (reply == nullptr || reply->rv != wire::rv_ok) pause(pause_without_daemon);
}

void Daemon::wait_for_card(const std::string &serial, wire::Clock::time_point deadline) {
    const auto list = tokens();
    const bool known = list && std::any_of(list->tokens.begin(), list->tokens.end(),
                                           [&](const auto &one) { return one.serial == serial; });
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - wire::Clock::now());
    if (!list || known || left.count() <= 0) return pause(pause_without_card);
    const auto time = static_cast<std::uint32_t>(
        std::min<std::chrono::milliseconds::rep>(left.count(), longest_wait_ms));
    static_cast<void>(client_.call(wire::WaitForChange{list->generation, time}, deadline + slack));
}

void Daemon::pause(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    stop_.wait_for(lock, time, [this] { return stopped_; });
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
