// The milter's events (contracts.md, "Log lines"): sealed, refused, stripped. One line each, in
// observe mode with would="…".
#pragma once

#include "base/log.hpp"
#include "filter/firewall.hpp"
#include "message/reply.hpp"

#include <initializer_list>
#include <string_view>

namespace demail::filter {

/// Where events go: base/log in the program, a list in tests. Thread-safe.
class EventSink {
  public:
    virtual ~EventSink() = default;
    virtual void event(log::Level level, std::string_view name,
                       std::initializer_list<log::Field> fields) = 0;
};

/// The message that an event is about.
struct EventSubject {
    std::string_view queue_id; ///< "" where the MTA has not told it yet
    std::string_view account;  ///< "" for none
    std::string_view from;     ///< envelope sender
    bool observing = false;
};

/// `to`: the recipient, "" where the whole message is refused.
void log_refused(EventSink &sink, const EventSubject &subject, std::string_view to,
                 const Reply &reply);
void log_stripped(EventSink &sink, const EventSubject &subject, const Firewall &firewall);
/// `sender`: the De-Mail address; `recipients`: how many De-Mail recipients.
void log_sealed(EventSink &sink, const EventSubject &subject, std::string_view sender,
                std::size_t recipients);
/// It came back from a content filter with the seal that it had got, which stays.
void log_reinjected(EventSink &sink, const EventSubject &subject, std::string_view sender,
                    std::size_t recipients);

} // namespace demail::filter
