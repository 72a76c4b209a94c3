// One connection of an MTA, message by message, as decisions without libmilter. The callbacks pass
// in what they hear and carry out what they are told; all that decides stands here, so that tests
// need no MTA. One object serves one connection; libmilter calls it from changing threads, never
// from two at once.
#pragma once

#include "base/digest.hpp"
#include "filter/events.hpp"
#include "filter/firewall.hpp"
#include "filter/options_asked.hpp"
#include "filter/recipient.hpp"
#include "filter/settings.hpp"
#include "message/reply.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace demail::filter {

/// What a session needs from outside; outlives it.
struct Surroundings {
    const CurrentSettings &settings;
    EventSink &events;
    std::function<std::int64_t()> unix_time;
};

/// Who hands a message in, by the MTA's macros; "" for what it did not tell.
struct Client {
    std::string_view address;     ///< {client_addr}
    std::string_view daemon_port; ///< {daemon_port}
    std::string_view login;       ///< {auth_authen}
    std::string_view queue_id;    ///< i, as it is at MAIL
};

/// What to do at the end of the header.
enum class AfterHeader {
    let_go,    ///< accept at once; nothing more is wanted of this message
    skip_body, ///< fields have to go, which the protocol allows at end of message only
    take_body, ///< a De-Mail: its body is hashed
};

/// What to do at the end of the message.
struct Changes {
    std::vector<Removal> removals;      ///< in this order
    std::optional<HeaderField> subject; ///< what the topmost Subject becomes
    std::optional<std::string>
        seal; ///< value of the field to insert at the top, after the removals
    /// Of a De-Mail: the envelope sender as it is, set anew with RET=HDRS, so that no bounce
    /// carries the letter over the Internet (RFC 3461 4.3).
    std::optional<std::string> sender;
};

class Session {
  public:
    explicit Session(const Surroundings &around) : around_(around) {}

    /// A new message.
    void mail(std::string_view sender, const Client &client);
    /// nullopt: go on. `queue_id` may be empty.
    [[nodiscard]] std::optional<Reply> recipient(std::string_view text, std::string_view queue_id);
    /// Fields in their order; `value` with its leading blank and its folds.
    void header(std::string_view name, std::string_view value);
    [[nodiscard]] std::variant<AfterHeader, Reply> end_of_header(std::string_view queue_id);
    /// The body as SMTP carries it: CRLF line ends, dots unstuffed.
    void body(std::string_view piece);
    [[nodiscard]] bool wants_body() const noexcept { return message_.body.has_value(); }
    [[nodiscard]] std::variant<Changes, Reply> end_of_message(std::string_view queue_id);
    /// They have been asked for and the message goes on: logs what was done, ends the message.
    void changes_made(std::string_view queue_id);
    /// The message is over, however it ended.
    void abort();

  private:
    struct Message {
        std::shared_ptr<const Settings> settings;
        std::shared_ptr<const DomainSnapshot> domains;
        std::string sender; ///< as seen, without angle brackets
        std::string login;
        std::optional<IpAddress> client;
        bool local = false; ///< sendmail(1)
        std::optional<Address> envelope_sender;
        std::shared_ptr<const SenderRules> rules; ///< from the first De-Mail recipient on
        std::optional<Right>
            right;                ///< by the first De-Mail recipient; the From field may change it
        bool reinjecting = false; ///< the client may bring a sealed message back
        std::optional<Seal> brought; ///< a seal that holds, but for the body
        std::vector<Address> demail_recipients;
        bool ordinary_recipients = false;
        std::optional<Reply> held_refusal; ///< sendmail(1) hears it at the end of the header
        std::string held_recipient;        ///< whose it is
        Firewall firewall;
        HeaderFields fields; ///< those that decide something, of a De-Mail only
        std::size_t field_octets = 0;
        OptionSet options;
        std::optional<HeaderField> subject; ///< without the flags that it had
        std::optional<Sha256> body;
    };

    void begin();
    [[nodiscard]] std::optional<Reply> judge_recipient(std::string_view text);
    [[nodiscard]] std::optional<Reply> judge_demail_recipient(Address address);
    [[nodiscard]] std::optional<Reply> find_right();
    [[nodiscard]] std::optional<Reply> bar() const;
    [[nodiscard]] std::optional<Reply> judge_author();
    [[nodiscard]] std::optional<Reply> judge_header();
    [[nodiscard]] Submitter submitter() const;
    [[nodiscard]] std::optional<Reply> judge_brought_seal();
    [[nodiscard]] std::optional<Reply> judge_options();
    [[nodiscard]] std::string make_seal();
    [[nodiscard]] EventSubject subject(std::string_view queue_id) const;
    void log_changes(std::string_view queue_id);
    [[nodiscard]] bool observing() const { return message_.settings->observe; }
    [[nodiscard]] bool is_demail() const { return !message_.demail_recipients.empty(); }

    const Surroundings &around_;
    Message message_;
};

} // namespace demail::filter
