#include "relay/service.hpp"

#include "base/log.hpp"
#include "relay/incoming_message.hpp"

#include <ctime>
#include <system_error>

namespace demail::relay {

class Service::Delivery final : public lmtp::Delivery {
  public:
    Delivery(const lmtp::Envelope &envelope, std::shared_ptr<const Settings> settings,
             Submitter &submitter)
        : recipients_(envelope.recipients), queue_id_(envelope.ident),
          settings_(std::move(settings)), submitter_(submitter), message_(settings_->spool) {}

    void receive(std::string_view bytes) override { message_.receive(bytes); }

    std::vector<Reply> complete(bool bad_bytes) override {
        const auto fault = message_.complete();
        if (bad_bytes)
            return all({554, "5.6.0",
                        "The message holds a NUL or a line end that is not CRLF; send it from a "
                        "program that writes correct mail"});
        switch (fault) {
        case IncomingMessage::Fault::none:
            break;
        case IncomingMessage::Fault::disk:
            return all(reply_for_store());
        case IncomingMessage::Fault::header_too_long:
            return all({554, "5.6.0", "The message's header is too long for a De-Mail"});
        case IncomingMessage::Fault::not_a_message:
            return all({554, "5.6.0", "The message's header is not valid (RFC 5322)"});
        }
        const Configuration &configuration = *settings_->configuration;
        const auto rules = settings_->senders->now();
        auto result = admit({settings_->keys, *rules, configuration.seal_lifetime},
                            message_.fields(), message_.body_digest(), recipients_,
                            static_cast<std::int64_t>(std::time(nullptr)));
        if (const auto *reply = std::get_if<Reply>(&result)) return all(*reply);
        return submitted(std::get<Admitted>(result));
    }

  private:
    std::vector<Reply> submitted(const Admitted &admitted) {
        std::vector<Reply> replies(recipients_.size());
        for (const auto &one : admitted.refused)
            replies[one.place] = logged(one.reply);
        std::vector<Reply> outcomes;
        const auto account = settings_->accounts.find(admitted.seal.account);
        try {
            if (account == settings_->accounts.end())
                outcomes.assign(admitted.recipients.size(),
                                logged({451, "4.7.0",
                                        "The account of this De-Mail is not configured on this "
                                        "host; the administrator must add it"}));
            else
                outcomes =
                    submitter_.submit({admitted, message_, *account->second, settings_->evidence,
                                       settings_->configuration->lookup_pause, queue_id_,
                                       [&] { return bar(admitted); }});
        } catch (const journal::Unavailable &error) {
            log::event(log::Level::error, "deferred",
                       {{"queue_id", queue_id_}, {"reason", error.what()}});
            outcomes.assign(admitted.recipients.size(), reply_for_store());
        }
        for (std::size_t i = 0; i < outcomes.size(); ++i)
            replies[admitted.recipients[i].place] = outcomes[i];
        return replies;
    }

    /// Why nothing of it may go out at this moment.
    std::optional<Reply> bar(const Admitted &admitted) const {
        if (admitted.barred) return admitted.barred;
        return settings_->blocks->bar(admitted.right, admitted.envelope_sender);
    }

    std::vector<Reply> all(const Reply &reply) const {
        return std::vector<Reply>(recipients_.size(), logged(reply));
    }

    const Reply &logged(const Reply &reply) const {
        log::event(log::Level::notice, reply.code >= 500 ? "refused" : "deferred",
                   {{"queue_id", queue_id_}, {"status", reply.enhanced}, {"reason", reply.text}});
        return reply;
    }

    const std::vector<std::string> recipients_;
    const std::string queue_id_;
    const std::shared_ptr<const Settings> settings_;
    Submitter &submitter_;
    IncomingMessage message_;
};

void Service::replace(std::shared_ptr<const Settings> settings) {
    const std::lock_guard lock(mutex_);
    settings_.swap(settings); // the old ones go after the lock: tokens take their time to close
}

void Service::replace_domains(std::shared_ptr<const DomainSet> domains) {
    const std::lock_guard lock(mutex_);
    domains_ = std::move(domains);
}

std::shared_ptr<const DomainSet> Service::domains() const {
    const std::lock_guard lock(mutex_);
    return domains_;
}

std::shared_ptr<const Settings> Service::settings() const {
    const std::lock_guard lock(mutex_);
    return settings_;
}

std::optional<Reply> Service::sender(const lmtp::Envelope &) {
    return std::nullopt; // who the sender is says the seal, which comes with the data
}

/// Here and not only at the milter, since sendmail(1) and aliases come without its word.
std::optional<Reply> Service::recipient(const lmtp::Envelope &envelope,
                                        std::string_view recipient) {
    const auto address = Address::parse(recipient);
    if (!address) return std::nullopt;
    std::optional<Reply> reply;
    const auto now = settings();
    const auto state = domains()->find(address->domain());
    if (const auto *ended = now->ended.find(address->domain(), day_of(std::time(nullptr))))
        reply = refusal(*ended);
    else if (state == DomainState::hinted)
        reply = refusal_of_hinted();
    else if (state == DomainState::ended)
        reply = Reply{550, "5.1.2",
                      "This is no longer a De-Mail address: its provider or its domain has ended; "
                      "write a letter or ask the recipient for another address"};
    if (reply)
        log::event(log::Level::notice, "refused",
                   {{"queue_id", envelope.ident},
                    {"recipient", address->str()},
                    {"status", reply->enhanced},
                    {"reason", reply->text}});
    return reply;
}

std::unique_ptr<lmtp::Delivery> Service::begin(const lmtp::Envelope &envelope, Reply &refusal) {
    try {
        auto settings = this->settings();
        // As received and as submitted: before a byte is taken, never half-way.
        settings->evidence.require_room(2 * envelope.size.value_or(0));
        return std::make_unique<Delivery>(envelope, std::move(settings), submitter_);
    } catch (const std::exception &error) {
        log::event(log::Level::error, "deferred",
                   {{"queue_id", envelope.ident}, {"reason", error.what()}});
        refusal = reply_for_store();
        return nullptr;
    }
}

} // namespace demail::relay
