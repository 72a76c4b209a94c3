// One client's connection, on a thread of its own: hello, then one request after the other. While a
// request waits for the card, a client that hangs up is noticed.
#pragma once

#include "base/handle.hpp"
#include "broker/access.hpp"
#include "broker/service.hpp"
#include "wire/codec.hpp"
#include "wire/frame.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace demail::broker {

class Conversation {
  public:
    /// `stop`, an eventfd that becomes readable, ends it.
    Conversation(Fd socket, Peer peer, Service &service, int stop);
    /// Until the client hangs up, says what is no message, or `stop`. Throws std::bad_alloc alone.
    void run();

  private:
    enum class Seen { bell, client_gone, stop, late };

    bool hello();
    [[nodiscard]] std::optional<wire::NumberedRequest> next_request();
    [[nodiscard]] bool say(std::uint32_t id, wire::Reply reply);
    /// nullopt: nobody waits for the reply any more.
    [[nodiscard]] std::optional<wire::Reply> answer(wire::Request request);
    [[nodiscard]] std::optional<wire::Reply> wait_for(std::vector<Errand> errands);
    [[nodiscard]] std::optional<wire::Reply> wait_for(const Waiting &waiting);
    [[nodiscard]] Seen wait_until(Clock::time_point deadline);

    Fd socket_;
    Peer peer_;
    Service &service_;
    int stop_;
    std::shared_ptr<const Fd> bell_;
    bool subscribed_ = false;
    wire::FrameReader reader_{wire::limit::request};
};

} // namespace demail::broker
