// The one thread that owns the card in one reader (or one module's token): it finds out which card
// is there, brings it back after every loss, and serves what waits at its desk, one request after
// the other. A card that hangs holds up this thread alone.
#pragma once

#include "broker/audit.hpp"
#include "broker/catalogue.hpp"
#include "broker/certificate_ends.hpp"
#include "broker/configuration.hpp"
#include "broker/driver.hpp"
#include "broker/job.hpp"
#include "broker/pin_keeper.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

namespace demail::broker {

/// What the cards' threads share; each part is thread-safe, and outlives them.
struct Shared {
    Catalogue &catalogue;
    Latches &latches;
    AuditLog &audit;
};

class CardThread {
  public:
    /// `rules` are those that fit the reader; which one counts is decided by the card's serial.
    CardThread(std::unique_ptr<Driver> driver, std::vector<TokenRule> rules, Shared shared);
    /// Waits for the call that is under way; takes the card's power.
    ~CardThread();
    CardThread(const CardThread &) = delete;
    CardThread &operator=(const CardThread &) = delete;

    [[nodiscard]] const std::shared_ptr<Desk> &desk() const noexcept { return desk_; }
    /// Something may have changed at the reader. From any thread, like the rest.
    void wake() { desk_->wake(); }
    void replace_rules(std::vector<TokenRule> rules);
    /// Ends as soon as the card's call returns; at once where none is under way.
    void stop();
    [[nodiscard]] bool ended() const noexcept { return ended_; }
    [[nodiscard]] bool has_card() const { return driver_->presence().kind == Presence::Kind::card; }
    /// It has had a first look at its card, or at the empty reader.
    [[nodiscard]] bool settled() const noexcept { return looked_; }
    /// Since when the card has been at one request, if it is.
    [[nodiscard]] std::optional<Clock::time_point> busy_since() const;

  private:
    /// How often a reader is looked at that nobody has called changed.
    static constexpr std::chrono::seconds look_again{1};

    void run();
    void serve(Job &job);
    void say_unsaid();
    JobOutcome outcome_of(Job &job);

    // The card's presence (card_presence.cpp).
    void look();
    [[nodiscard]] bool still_ours();
    void lost(const std::string &why);
    void let_go() noexcept;
    [[nodiscard]] std::variant<std::monostate, Failed, Away> open();
    [[nodiscard]] std::optional<Failed> greet(Facts facts);
    [[nodiscard]] std::optional<TokenRule> rule_for(const std::string &serial) const;
    void unattended();
    void warn_of_ends();
    /// Opens the card, waiting for it until the job's deadline; the job's end where that fails.
    [[nodiscard]] std::optional<JobOutcome> ready(const Job &job, const std::string &serial);
    void publish();
    void remember(const std::string &sentence);

    // Keys (card_keys.cpp).
    [[nodiscard]] JobOutcome sign(Job &job, const wire::Sign &request);
    [[nodiscard]] JobOutcome decrypt(Job &job, const wire::Decrypt &request);
    template <typename Use>
    [[nodiscard]] JobOutcome with_key(Job &job, const std::string &serial, const std::string &id,
                                      Use use);
    /// with_key, written down.
    template <typename Request, typename Use>
    [[nodiscard]] JobOutcome accounted(Job &job, const char *act, const Request &request, Use use);
    [[nodiscard]] std::string not_unlocked() const;

    // PINs (card_pins.cpp).
    [[nodiscard]] JobOutcome login(Job &job, const wire::Login &request);
    [[nodiscard]] JobOutcome unlock(Job &job, const wire::Unlock &request);
    [[nodiscard]] JobOutcome lock(Job &job);
    [[nodiscard]] JobOutcome pin_status(Job &job, const wire::PinStatus &request);
    [[nodiscard]] JobOutcome set_pin(Job &job, const wire::SetPin &request);
    [[nodiscard]] JobOutcome change_pin(Job &job, const wire::ChangePin &request);
    [[nodiscard]] JobOutcome unblock_pin(Job &job, const wire::UnblockPin &request);
    [[nodiscard]] JobOutcome probe();
    [[nodiscard]] std::variant<std::size_t, Failed> pin_named(const std::string &name) const;
    template <typename Act>
    [[nodiscard]] JobOutcome with_pin(Job &job, const std::string &serial, const std::string &name,
                                      Act act);
    /// What is said to the one who asked.
    struct Verdict {
        wire::Rv rv;
        std::string sentence;
    };
    /// With how each PIN stands now, asked from the card: for a person.
    [[nodiscard]] wire::Reply with_states(Verdict verdict);
    /// `outcome` in the audit log, in the status and as a verdict; `good` where it is none.
    [[nodiscard]] Verdict written_down(const Job &job, const char *act, std::size_t pin,
                                       const PinOutcome &outcome, std::string good);

    /// What has to be said, and done, where a PIN file holds another PIN now.
    [[nodiscard]] std::string after_change(const Secret &fresh);

    /// One line of the audit log, and one of the journal once the reply has left.
    void audit(const Job *job, const char *act, const std::string &key,
               const std::string &mechanism, const std::string &input, const std::string &result);

    std::unique_ptr<Driver> driver_;
    Shared shared_;
    std::shared_ptr<Desk> desk_ = std::make_shared<Desk>();
    PinKeeper pins_;

    mutable std::mutex mutex_;
    std::vector<TokenRule> rules_;           ///< behind mutex_
    std::optional<Clock::time_point> since_; ///< behind mutex_
    std::atomic<bool> rules_changed_{false}, ended_{false}, looked_{false};

    TokenRule rule_;                ///< the one for this card
    Facts facts_;                   ///< of the last card that was ours; nullptr: none yet
    bool open_ = false;             ///< it has power and is ours alone
    bool settled_ = false;          ///< which card this is was asked since the last change
    bool tried_unattended_ = false; ///< the PIN file, since the last change
    bool locked_by_person_ = false; ///< until a person unlocks, or another card comes
    Presence seen_;
    Clock::time_point last_use_{}, away_since_{}, last_look_{}, last_warning_{};
    EndWarnings end_warnings_;
    RateLimit guesses_;
    std::vector<std::function<void()>> unsaid_; ///< lines for the journal
    wire::TokenStatus status_;
    std::thread thread_;
};

/// A reply without a body.
[[nodiscard]] wire::Reply plain_reply(wire::Rv rv, std::string sentence);

} // namespace demail::broker
