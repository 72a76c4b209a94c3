#include "lmtp/session.hpp"

#include "base/log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <exception>

namespace demail::lmtp {
namespace {

constexpr std::size_t longest_line = 4096;
constexpr std::size_t buffer_size = 65536;
constexpr unsigned most_faults = 250;

Reply internal_error() {
    return {451, "4.3.0", "The relay failed; the message is tried again later."};
}

bool eight_bit(std::string_view text) {
    return std::any_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

/// Calls into the service; what it throws is the relay's trouble and never the message's.
template <typename Call, typename Result>
Result guarded(const Call &call, Result otherwise) {
    try {
        return call();
    } catch (const std::exception &error) {
        log::say(log::Level::error, fmt::format("LMTP: {}", error.what()));
    } catch (...) {
        log::say(log::Level::error, "LMTP: unknown exception");
    }
    return otherwise;
}

} // namespace

/// One message between DATA and its end.
struct Session::Content {
    std::unique_ptr<Delivery> delivery;
    DataDecoder decoder{};
    std::uint64_t octets = 0;
    bool too_large = false;
    bool failed = false;
};

Session::Session(Stream &stream, Service &service, const Limits &limits, std::string host)
    : stream_(stream), service_(service), limits_(limits), host_(std::move(host)),
      buffer_(std::make_unique_for_overwrite<char[]>(buffer_size)) {}

void Session::run() {
    reply({220, "", host_ + " LMTP De-Mail relay"});
    while (!over_) {
        const auto line = next_line();
        if (!line) break;
        obey(parse_command(*line));
    }
    flush();
}

std::optional<std::string_view> Session::next_line() {
    for (;;) {
        if (over_) return std::nullopt;
        const auto line = buffered_line();
        if (!line) {
            flush();
            if (!fill(limits_.command_timeout, true)) return std::nullopt;
        } else if (line->size() > longest_line || skipping_) {
            skipping_ = false;
            fault(500, "5.5.2", "The command line is too long.");
        } else if (!line->ends_with('\r') || line->find('\0') != line->npos ||
                   line->find('\r') != line->size() - 1) {
            fault(500, "5.5.2", "A command line ends with CRLF and holds neither CR nor NUL.");
        } else {
            return line->substr(0, line->size() - 1);
        }
    }
}

/// Up to and without the next LF, taken out of the buffer.
std::optional<std::string_view> Session::buffered_line() {
    const char *from = buffer_.get() + begin_;
    const auto *lf = static_cast<const char *>(std::memchr(from, '\n', end_ - begin_));
    if (lf != nullptr) {
        const auto length = static_cast<std::size_t>(lf - from);
        begin_ += length + 1;
        return std::string_view(from, length);
    }
    if (end_ - begin_ > longest_line) {
        skipping_ = true;
        begin_ = end_ = 0;
    }
    return std::nullopt;
}

bool Session::fill(std::chrono::seconds patience, bool stoppable) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    const auto [event, size] =
        stream_.read(buffer_.get() + end_, buffer_size - end_, patience, stoppable);
    switch (event) {
    case Stream::Event::bytes:
        end_ += size;
        return true;
    case Stream::Event::closed:
        over_ = true;
        break;
    case Stream::Event::timed_out:
        close({421, "4.4.2", "Nothing came in time; the connection is closed."});
        break;
    case Stream::Event::stopped:
        close({421, "4.3.2", "The relay is shutting down; the message is tried again later."});
        break;
    }
    return false;
}

void Session::obey(const Command &command) {
    switch (command.verb) {
    case Verb::lhlo:
        return lhlo(command.argument);
    case Verb::mail:
        return mail(command.argument);
    case Verb::rcpt:
        return rcpt(command.argument);
    case Verb::data:
        return data(command.argument);
    case Verb::xforward:
        return xforward(command.argument);
    case Verb::rset:
        reset();
        return reply({250, "2.0.0", "Ok"});
    case Verb::noop:
        return reply({250, "2.0.0", "Ok"});
    case Verb::vrfy:
        return reply({252, "2.0.0", "Send the message, then it is known."});
    case Verb::quit:
        return close({221, "2.0.0", "Bye"});
    case Verb::helo:
    case Verb::ehlo:
        return fault(500, "5.5.1", "This is LMTP: begin with LHLO.");
    case Verb::unknown:
        return fault(500, "5.5.2", "This command is not known.");
    }
}

void Session::lhlo(std::string_view argument) {
    if (argument.empty()) return fault(501, "5.5.4", "LHLO needs the name of the client.");
    reset();
    greeted_ = true;
    output_ += fmt::format("250-{}\r\n250-PIPELINING\r\n250-SIZE {}\r\n250-8BITMIME\r\n"
                           "250-SMTPUTF8\r\n250-ENHANCEDSTATUSCODES\r\n"
                           "250 XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE\r\n",
                           host_, limits_.message_bytes);
}

void Session::mail(std::string_view argument) {
    if (!greeted_) return fault(503, "5.5.1", "Begin with LHLO.");
    if (envelope_) return fault(503, "5.5.1", "MAIL was given before.");
    const auto path = parse_path(argument, "FROM");
    if (!path) return fault(501, "5.5.4", "Write MAIL FROM:<address> and its parameters.");
    Envelope envelope;
    envelope.sender = path->path;
    envelope.ident = ident_;
    if (const auto refusal = apply(*path, envelope)) {
        if (refusal->code == 552 || refusal->code == 553) return reply(*refusal);
        return fault(refusal->code, refusal->enhanced.c_str(), refusal->text.c_str());
    }
    const auto refusal =
        guarded([&] { return service_.sender(envelope); }, std::optional<Reply>(internal_error()));
    if (refusal) return reply(*refusal);
    envelope_ = std::move(envelope);
    reply({250, "2.1.0", "Ok"});
}

/// MAIL's parameters into the envelope, or the reply that refuses one.
std::optional<Reply> Session::apply(const PathArgument &argument, Envelope &envelope) const {
    for (const auto &[name, value] : argument.parameters) {
        if (name == "SIZE" && value) {
            std::uint64_t size = 0;
            const auto [end, error] =
                std::from_chars(value->data(), value->data() + value->size(), size);
            if (end != value->data() + value->size() || value->size() > 20 ||
                (error != std::errc() && error != std::errc::result_out_of_range))
                return Reply{501, "5.5.4", "SIZE must be a number."};
            if (error == std::errc::result_out_of_range || size > limits_.message_bytes)
                return Reply{552, "5.3.4", "The message is larger than the relay takes."};
            envelope.size = size;
        } else if (name == "BODY" && value) {
            const std::string text = capitals(*value);
            if (text != "7BIT" && text != "8BITMIME")
                return Reply{501, "5.5.4", "BODY must be 7BIT or 8BITMIME."};
            envelope.eight_bit = text == "8BITMIME";
        } else if (name == "SMTPUTF8" && !value) {
            envelope.smtputf8 = true;
        } else {
            return Reply{555, "5.5.4", "This parameter of MAIL is not known."};
        }
    }
    if (!envelope.smtputf8 && eight_bit(envelope.sender))
        return Reply{553, "5.6.7", "An address that is not ASCII needs SMTPUTF8."};
    return std::nullopt;
}

void Session::rcpt(std::string_view argument) {
    if (!envelope_) return fault(503, "5.5.1", "Begin with MAIL.");
    const auto path = parse_path(argument, "TO");
    if (!path || path->path.empty()) return fault(501, "5.5.4", "Write RCPT TO:<address>.");
    if (!path->parameters.empty())
        return fault(555, "5.5.4", "This parameter of RCPT is not known.");
    if (!envelope_->smtputf8 && eight_bit(path->path))
        return reply({553, "5.6.7", "An address that is not ASCII needs SMTPUTF8."});
    if (envelope_->recipients.size() >= limits_.recipients)
        return reply({452, "4.5.3", "Too many recipients; the rest is tried again later."});
    const auto refusal = guarded([&] { return service_.recipient(*envelope_, path->path); },
                                 std::optional<Reply>(internal_error()));
    if (refusal) return reply(*refusal);
    envelope_->recipients.push_back(path->path);
    reply({250, "2.1.5", "Ok"});
}

void Session::xforward(std::string_view argument) {
    if (!greeted_ || envelope_) return fault(503, "5.5.1", "XFORWARD stands before MAIL.");
    const auto attributes = parse_xforward(argument);
    if (!attributes) return fault(501, "5.5.4", "Write XFORWARD NAME=value and so on.");
    for (const auto &[name, value] : *attributes)
        if (name == "IDENT") ident_ = value.substr(0, 255);
    reply({250, "2.0.0", "Ok"});
}

void Session::data(std::string_view argument) {
    if (!argument.empty()) return fault(501, "5.5.4", "DATA stands alone.");
    if (!envelope_ || envelope_->recipients.empty())
        return fault(503, "5.5.1", "No recipient was accepted.");
    Reply refusal = internal_error();
    Content content{
        guarded([&] { return service_.begin(*envelope_, refusal); }, std::unique_ptr<Delivery>())};
    if (!content.delivery) {
        reset();
        return reply(refusal);
    }
    reply({354, "", "End data with <CR><LF>.<CR><LF>"});
    flush();
    if (receive(content)) end_of_data(content);
    reset();
}

/// Content to the delivery until its end; false when the connection broke off before.
bool Session::receive(Content &content) {
    const DataDecoder::Sink sink = [&](std::string_view span) {
        content.octets += span.size();
        if (content.octets > limits_.message_bytes) content.too_large = true;
        // Nothing more is asked of a delivery that is lost; the rest is read on and dropped.
        if (content.too_large || content.failed) return content.delivery.reset();
        content.failed = !guarded([&] { return content.delivery->receive(span), true; }, false);
    };
    while (!over_) {
        const std::string_view input(buffer_.get() + begin_, end_ - begin_);
        begin_ += content.decoder.feed(input, sink);
        if (content.decoder.ended()) return true;
        if (!fill(limits_.data_timeout, false)) break;
    }
    return false;
}

/// One reply for each recipient, in their order (RFC 2033 4.2).
void Session::end_of_data(Content &content) {
    const std::size_t count = envelope_->recipients.size();
    std::vector<Reply> replies;
    if (content.too_large)
        replies.assign(count, {552, "5.3.4", "The message is larger than the relay takes."});
    else if (!content.failed)
        replies = guarded([&] { return content.delivery->complete(content.decoder.bad_bytes()); },
                          std::vector<Reply>());
    if (replies.size() != count) replies.assign(count, internal_error());
    for (const Reply &one : replies)
        reply(one);
}

void Session::reply(const Reply &reply) {
    output_ += reply_line(reply);
    if (output_.size() > buffer_size) flush();
}

void Session::fault(int code, const char *enhanced, const char *text) {
    if (++faults_ > most_faults) return close({421, "4.7.0", "Too many errors."});
    reply({code, enhanced, text});
}

void Session::flush() {
    if (!output_.empty() && !stream_.write(output_, limits_.command_timeout)) over_ = true;
    output_.clear();
}

void Session::close(const Reply &last) {
    reply(last);
    over_ = true;
}

void Session::reset() {
    envelope_.reset();
    ident_.clear();
}

} // namespace demail::lmtp
