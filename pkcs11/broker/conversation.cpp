#include "broker/conversation.hpp"

#include "base/log.hpp"

#include <p11-kit/pkcs11.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <utility>

namespace demail::broker {
namespace {

using namespace std::chrono_literals;

/// A client that has begun a message, or gets one, has no reason to dawdle.
constexpr auto message_limit = 5s;

/// For poll(2); -1 for none.
int milliseconds_until(Clock::time_point deadline) {
    if (deadline == Clock::time_point::max()) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    return static_cast<int>(std::clamp<long long>(left, 0, 60000));
}

std::uint64_t client_number(const Peer &peer) {
    return static_cast<std::uint64_t>(peer.uid) << 32U | static_cast<std::uint32_t>(peer.pid);
}

void silence_bell(int bell) {
    std::uint64_t count = 0;
    // Nothing to read is as good.
    [[maybe_unused]] const ssize_t got = ::read(bell, &count, sizeof count);
}

} // namespace

Conversation::Conversation(Fd socket, Peer peer, Service &service, int stop)
    : socket_(std::move(socket)), peer_(std::move(peer)), service_(service), stop_(stop),
      bell_(std::make_shared<const Fd>(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))) {}

bool Conversation::say(std::uint32_t id, wire::Reply reply) {
    reply.id = id;
    if (reply.sentence.size() > wire::limit::sentence) reply.sentence.resize(wire::limit::sentence);
    const Secret frame = wire::reply_frame(reply);
    std::string_view rest = frame.view();
    const auto end = Clock::now() + message_limit;
    while (!rest.empty()) {
        const ssize_t sent =
            ::send(socket_.get(), rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent > 0) {
            rest.remove_prefix(static_cast<std::size_t>(sent));
            continue;
        }
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && errno != EAGAIN) return false;
        pollfd one{socket_.get(), POLLOUT, 0};
        if (Clock::now() >= end || ::poll(&one, 1, milliseconds_until(end)) < 0) return false;
    }
    return true;
}

std::optional<wire::NumberedRequest> Conversation::next_request() {
    auto deadline = Clock::time_point::max(); // between two messages there is no hurry
    for (;;) {
        if (const auto payload = reader_.next()) return wire::parse_request(*payload);
        if (reader_.broken()) return std::nullopt;
        if (reader_.amid_frame() && deadline == Clock::time_point::max())
            deadline = Clock::now() + message_limit;
        std::array<pollfd, 2> waiting{{{socket_.get(), POLLIN, 0}, {stop_, POLLIN, 0}}};
        if (::poll(waiting.data(), waiting.size(), milliseconds_until(deadline)) < 0 &&
            errno != EINTR)
            return std::nullopt;
        if (waiting[1].revents != 0 || Clock::now() >= deadline) return std::nullopt;
        if (waiting[0].revents == 0) continue;
        const auto room = reader_.room();
        const ssize_t got = ::recv(socket_.get(), room.data, room.size, MSG_DONTWAIT);
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (got <= 0) return std::nullopt;
        reader_.received(static_cast<std::size_t>(got));
    }
}

bool Conversation::hello() {
    const auto first = next_request();
    if (!first) return false;
    const auto *hello = std::get_if<wire::Hello>(&first->request);
    if (hello == nullptr) return false;
    if (std::string why = service_.refusal(peer_); !why.empty()) {
        log::event(log::Level::warning, "refused",
                   {{"uid", std::to_string(peer_.uid)}, {"reason", why}});
        [[maybe_unused]] const bool said =
            say(first->id, plain_reply(CKR_FUNCTION_REJECTED, std::move(why)));
        return false;
    }
    if (hello->lowest > wire::version || hello->highest < wire::version) {
        [[maybe_unused]] const bool said =
            say(first->id, plain_reply(CKR_FUNCTION_NOT_SUPPORTED,
                                       "demail-cardd and its client are of versions that do not "
                                       "understand each other."));
        return false;
    }
    return say(first->id, {0, CKR_OK, "", wire::Welcome{}});
}

Conversation::Seen Conversation::wait_until(Clock::time_point deadline) {
    for (;;) {
        // The client says nothing until it has its reply; what can come is its end.
        std::array<pollfd, 3> waiting{
            {{bell_->get(), POLLIN, 0}, {socket_.get(), POLLRDHUP, 0}, {stop_, POLLIN, 0}}};
        if (::poll(waiting.data(), waiting.size(), milliseconds_until(deadline)) < 0 &&
            errno != EINTR)
            return Seen::client_gone;
        if (waiting[0].revents != 0) {
            silence_bell(bell_->get());
            return Seen::bell;
        }
        if (waiting[1].revents != 0) return Seen::client_gone;
        if (waiting[2].revents != 0) return Seen::stop;
        if (Clock::now() >= deadline) return Seen::late;
    }
}

std::optional<wire::Reply> Conversation::wait_for(std::vector<Errand> errands) {
    std::vector<wire::Reply> replies;
    const auto give_up = [&] {
        for (const Errand &errand : errands)
            errand.job->abandon();
    };
    for (const Errand &errand : errands)
        if (!errand.desk->put(client_number(peer_), errand.job)) {
            give_up();
            return plain_reply(CKR_DEVICE_ERROR, "Too many requests wait for this card.");
        }
    while (!errands.empty()) {
        // A moment more than the card's thread gives itself, so that its sentence is the one.
        const Seen seen = wait_until(errands.front().job->deadline + 20ms);
        if (seen == Seen::client_gone || seen == Seen::stop) {
            give_up();
            return std::nullopt;
        }
        if (seen == Seen::late) {
            give_up();
            return plain_reply(CKR_DEVICE_ERROR, "The card did not answer within the deadline.");
        }
        for (auto errand = errands.begin(); errand != errands.end();) {
            auto outcome = errand->job->take_outcome();
            if (!outcome) {
                ++errand;
                continue;
            }
            if (std::holds_alternative<Moved>(*outcome)) {
                errand->desk = service_.desk_for(*errand->job);
                if (errand->desk && errand->desk->put(client_number(peer_), errand->job)) {
                    ++errand;
                    continue;
                }
                outcome = plain_reply(CKR_TOKEN_NOT_PRESENT, "The card is not there any more.");
            }
            replies.push_back(std::get<wire::Reply>(std::move(*outcome)));
            errand = errands.erase(errand);
        }
    }
    // One that went wrong says more than those that went well.
    const auto bad = std::find_if(replies.begin(), replies.end(),
                                  [](const wire::Reply &one) { return one.rv != CKR_OK; });
    return std::move(bad == replies.end() ? replies.front() : *bad);
}

std::optional<wire::Reply> Conversation::wait_for(const Waiting &waiting) {
    if (!std::exchange(subscribed_, true)) service_.subscribe(bell_);
    for (;;) {
        const std::uint64_t now = service_.generation();
        if (now != waiting.generation || Clock::now() >= waiting.until)
            return wire::Reply{0, CKR_OK, "", wire::Generation{now}};
        const Seen seen = wait_until(waiting.until);
        if (seen == Seen::client_gone || seen == Seen::stop) return std::nullopt;
    }
}

std::optional<wire::Reply> Conversation::answer(wire::Request request) {
    Beginning beginning = service_.begin(peer_, std::move(request), bell_);
    if (auto *reply = std::get_if<wire::Reply>(&beginning)) return std::move(*reply);
    if (const auto *waiting = std::get_if<Waiting>(&beginning)) return wait_for(*waiting);
    return wait_for(std::get<std::vector<Errand>>(std::move(beginning)));
}

void Conversation::run() {
    if (!hello()) return;
    for (;;) {
        auto request = next_request();
        if (!request) return;
        auto reply = answer(std::move(request->request));
        if (!reply || !say(request->id, std::move(*reply))) return;
    }
}

} // namespace demail::broker
