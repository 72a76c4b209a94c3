// A whole LMTP dialogue over a stream in memory. The first byte says in which pieces it arrives:
// neither the replies nor the messages may depend on that.
#include "fuzz.hpp"
#include "lmtp/session.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

namespace demail::fuzz {
namespace {

constexpr std::uint64_t largest_message = 2000;
constexpr std::size_t most_recipients = 20;

class Script final : public lmtp::Stream {
  public:
    Script(std::string_view input, unsigned pace) : rest_(input), pace_(pace) {}
    Got read(char *buffer, std::size_t size, std::chrono::seconds, bool) override {
        if (rest_.empty() || size == 0) return {size == 0 ? Event::timed_out : Event::closed, 0};
        std::size_t piece = std::min(size, rest_.size());
        if (pace_ != 0) {
            pace_ = pace_ * 75 + 74;
            piece = std::min<std::size_t>(piece, 1 + pace_ % 40);
        }
        std::memcpy(buffer, rest_.data(), piece);
        rest_.remove_prefix(piece);
        return {Event::bytes, piece};
    }
    bool write(std::string_view bytes, std::chrono::seconds) override {
        output += bytes;
        return true;
    }
    std::string output;

  private:
    std::string_view rest_;
    unsigned pace_;
};

struct Message {
    std::string sender;
    std::size_t recipients = 0;
    std::string content;
    bool bad_bytes = false;
    friend bool operator==(const Message &, const Message &) = default;
};

// Takes what comes; some addresses make trouble. What it sees is judged after the dialogue, since a
// session catches what its service throws.
class Witness final : public lmtp::Service {
  public:
    std::optional<Reply> sender(const lmtp::Envelope &envelope) override {
        if (envelope.sender == "refused") return Reply{550, "5.7.1", "No."};
        return std::nullopt;
    }
    std::optional<Reply> recipient(const lmtp::Envelope &, std::string_view recipient) override {
        if (recipient == "throw") throw std::runtime_error("\r\n250 2.0.0 forged");
        if (recipient.starts_with("no")) return Reply{550, "5.1.1", std::string(recipient)};
        return std::nullopt;
    }
    std::unique_ptr<lmtp::Delivery> begin(const lmtp::Envelope &envelope, Reply &refusal) override {
        if (envelope.sender == "nodata") {
            refusal = {451, "4.3.1", "No room."};
            return nullptr;
        }
        return std::make_unique<Taking>(*this, envelope);
    }
    std::vector<Message> completed;

  private:
    class Taking final : public lmtp::Delivery {
      public:
        Taking(Witness &witness, const lmtp::Envelope &envelope)
            : witness_(witness), message_{envelope.sender, envelope.recipients.size(), {}, false} {}
        void receive(std::string_view bytes) override { message_.content += bytes; }
        std::vector<Reply> complete(bool bad_bytes) override {
            message_.bad_bytes = bad_bytes;
            witness_.completed.push_back(message_);
            return std::vector<Reply>(message_.recipients, Reply{250, "2.0.0", message_.sender});
        }

      private:
        Witness &witness_;
        Message message_;
    };
};

struct Dialogue {
    std::string output;
    std::vector<Message> messages;
};

Dialogue speak(std::string_view input, unsigned pace) {
    static const lmtp::Limits limits = [] {
        lmtp::Limits small;
        small.message_bytes = largest_message;
        small.recipients = most_recipients;
        return small;
    }();
    Script stream(input, pace);
    Witness witness;
    lmtp::Session(stream, witness, limits, "relay.example").run();
    return {std::move(stream.output), std::move(witness.completed)};
}

std::size_t occurrences(std::string_view text, std::string_view what) {
    std::size_t found = 0;
    for (std::size_t at = text.find(what); at != std::string_view::npos;
         at = text.find(what, at + what.size() - 2)) // its last CRLF may begin the next one
        ++found;
    return found;
}

bool has_bad_bytes(std::string_view content) {
    for (std::size_t i = 0; i < content.size(); ++i) {
        if (content[i] == '\0') return true;
        if (content[i] == '\r' && (i + 1 == content.size() || content[i + 1] != '\n')) return true;
        if (content[i] == '\n' && (i == 0 || content[i - 1] != '\r')) return true;
    }
    return false;
}

void replies_are_lines(std::string_view output) {
    for (Input lines(output); !lines.rest().empty();) {
        const std::string_view line = lines.until('\n');
        HOLDS(line.size() > 4 && line.size() < 512 && line.ends_with('\r'));
        HOLDS(line[0] >= '2' && line[0] <= '5' && (line[3] == ' ' || line[3] == '-'));
        HOLDS(
            std::all_of(line.begin(), line.end() - 1, [](char c) { return c >= ' ' && c <= '~'; }));
    }
}

} // namespace

void lmtp_session(std::string_view input) {
    Input taken(input);
    const unsigned pace = taken.byte();
    const std::string_view text = taken.rest();
    const Dialogue whole = speak(text, 0);
    const Dialogue pieces = speak(text, pace + 1);
    HOLDS(whole.output == pieces.output);
    HOLDS(whole.messages == pieces.messages);

    replies_are_lines(whole.output);
    // Data ends at CRLF.CRLF alone: a message more would be smuggled in.
    HOLDS(whole.messages.size() <= occurrences(text, "\r\n.\r\n"));
    for (const Message &message : whole.messages) {
        HOLDS(message.content.empty() || message.content.ends_with("\r\n"));
        HOLDS(message.content.size() <= largest_message);
        HOLDS(message.recipients > 0 && message.recipients <= most_recipients);
        HOLDS(message.bad_bytes == has_bad_bytes(message.content));
    }
    std::size_t accepted = 0;
    for (const Message &message : whole.messages)
        accepted += message.recipients;
    // One reply for each recipient of each message (RFC 2033 4.2), and none that a sender forged.
    HOLDS(occurrences(whole.output, "\r\n250 2.0.0 ") >= accepted);
}

} // namespace demail::fuzz
