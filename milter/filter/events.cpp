#include "filter/events.hpp"

#include <string>

namespace demail::filter {
namespace {

void send(EventSink &sink, std::string_view name, std::string_view would,
          const EventSubject &subject, log::Field first, log::Field second) {
    const log::Level level =
        subject.observing || name != "sealed" ? log::Level::notice : log::Level::info;
    // As Postfix names a message without an id.
    const log::Field id{"queue_id", subject.queue_id.empty() ? "NOQUEUE" : subject.queue_id};
    const log::Field account{"account", subject.account};
    const log::Field from{"from", subject.from};
    if (subject.observing)
        sink.event(level, name, {id, account, from, first, second, {"would", would}});
    else
        sink.event(level, name, {id, account, from, first, second});
}

} // namespace

void log_refused(EventSink &sink, const EventSubject &subject, std::string_view to,
                 const Reply &reply) {
    const std::string text = std::to_string(reply.code) + " " + reply.enhanced + " " + reply.text;
    send(sink, "refused", "refuse", subject, {"to", to}, {"reply", text});
}

void log_stripped(EventSink &sink, const EventSubject &subject, const Firewall &firewall) {
    const std::string number = std::to_string(firewall.size());
    const std::string names = firewall.names();
    send(sink, "stripped", "strip", subject, {"fields", number}, {"names", names});
}

void log_sealed(EventSink &sink, const EventSubject &subject, std::string_view sender,
                std::size_t recipients) {
    const std::string number = std::to_string(recipients);
    send(sink, "sealed", "seal", subject, {"sender", sender}, {"recipients", number});
}

void log_reinjected(EventSink &sink, const EventSubject &subject, std::string_view sender,
                    std::size_t recipients) {
    const std::string number = std::to_string(recipients);
    send(sink, "reinjected", "keep the seal of", subject, {"sender", sender},
         {"recipients", number});
}

} // namespace demail::filter
