// A relay's parts for unit tests: a sealed message, a journal on disk, a provider that answers as
// the test says. The provider is the one part that is not real: faults between two lines of ours
// cannot be made with a real one.
#pragma once

#include "message/content.hpp"
#include "relay/admission.hpp"
#include "relay/settings.hpp"
#include "relay/submitter.hpp"
#include "temporary_directory.hpp"

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace demail::test {

inline Address address(const std::string &text) {
    return Address::parse(text).value();
}

class FakeProvider final : public soap::Provider {
  public:
    std::deque<soap::Answer<soap::Submitted>> submit_answers;
    std::deque<soap::Answer<soap::Found>> find_answers;
    soap::Answer<soap::Account> account =
        soap::Account{"Firm", true, {"firm.de-mail.de"}, all_rights(), 100000};
    /// By the address; another one exists at level high.
    std::map<std::string, soap::Answer<soap::DirectoryEntry>> directory;
    std::vector<soap::Submission> submitted;
    std::vector<std::string> recipients_looked_up;
    int accounts_asked = 0;
    std::vector<std::string> looked_up;

    static OptionSet all_rights() {
        OptionSet rights;
        for (const Option one : all_options)
            rights.set(one);
        return rights;
    }
    soap::Answer<soap::Account> get_account() override {
        ++accounts_asked;
        return account;
    }
    soap::Answer<soap::DirectoryEntry> look_up_recipient(const Address &address) override {
        recipients_looked_up.push_back(address.lower());
        const auto found = directory.find(address.lower());
        if (found != directory.end()) return found->second;
        return soap::DirectoryEntry{address.lower(), true, true};
    }
    soap::Answer<soap::Domains> get_domains(const std::optional<std::string> &) override {
        return soap::NoAnswer{"not asked"};
    }
    soap::Answer<soap::Submitted> submit(const soap::Submission &submission) override {
        try {
            if (submission.exchange != nullptr) submission.exchange->sending("<Submit/>");
        } catch (const std::exception &error) {
            return soap::NotSent{error.what()};
        }
        submitted.push_back(submission);
        if (submission.exchange != nullptr) submission.exchange->answered("<Submitted/>");
        if (submit_answers.empty())
            return soap::Submitted{submission.private_id.str(),
                                   "<" + std::to_string(submitted.size()) + "@fp>",
                                   "now",
                                   {}};
        auto answer = submit_answers.front();
        submit_answers.pop_front();
        return answer;
    }
    soap::Answer<soap::Found> find_submission(const std::string &private_id,
                                              soap::Exchange *exchange) override {
        if (exchange != nullptr) exchange->sending("<FindSubmission/>");
        looked_up.push_back(private_id);
        if (find_answers.empty()) return soap::NoAnswer{"away"};
        auto answer = find_answers.front();
        find_answers.pop_front();
        return answer;
    }
    soap::Answer<soap::Message> fetch_message(const std::string &, int) override {
        return soap::NoAnswer{"not asked"};
    }
};

/// A message from Postfix with its seal.
struct SealedMessage {
    SealKey key{"k1", std::string(32, 'k')};
    HeaderFields fields;
    std::string body = "Hello\r\n";
    Seal seal;

    explicit SealedMessage(const std::vector<std::string> &recipients,
                           const std::string &to = "a@x.de-mail.de",
                           std::int64_t time = 1'000'000) {
        fields = {{"From", " Anna <anna@firm.example>"},
                  {"To", " " + to},
                  {"Subject", " Test"},
                  {"Date", " Tue, 24 Nov 2026 10:00:00 +0100"},
                  {"Message-ID", " <1@firm.example>"}};
        seal.time = time;
        seal.n = new_nonce();
        seal.account = "firm";
        seal.sender = address("anna@firm.de-mail.de");
        seal.envelope_sender = "anna@firm.example";
        std::vector<Address> addresses;
        for (const std::string &one : recipients)
            addresses.push_back(address(one));
        seal.tags = recipient_tags(key, seal.n, addresses);
        seal.fields = sealed_fields_digest(fields);
        seal.body = sha256(body);
    }
    [[nodiscard]] HeaderFields with_seal() const {
        HeaderFields all{{std::string(seal_field), write_seal(seal, key, "\r\n")}};
        all.insert(all.end(), fields.begin(), fields.end());
        return all;
    }
    [[nodiscard]] std::string text() const {
        std::string all;
        for (const HeaderField &field : with_seal())
            all += field.name + ":" + field.value + "\r\n";
        return all + "\r\n" + body;
    }
};

struct Relay {
    TemporaryDirectory directory;
    std::unique_ptr<journal::Journal> journal =
        journal::Journal::open("sqlite3://" + directory.path() + "/journal.db", "host-a");
    journal::Evidence evidence{directory.path() + "/evidence"};
    journal::Time now = 1'000'000'000'000;
    relay::Submitter submitter{*journal, [this] { return now; }};
    std::shared_ptr<FakeProvider> provider = std::make_shared<FakeProvider>();
    std::optional<Reply> bar; ///< of what may not go out
    relay::Account account{"firm", "fp", [this] { return std::make_unique<Shared>(provider); }};
    SealKeys keys = std::get<SealKeys>(SealKeys::parse("k1 " + hex(std::string(32, 'k')) + "\n"));
    SenderRules rules{std::vector<SenderRule>{{"firm",
                                               AddressPattern::parse("*@firm.example").value(),
                                               AddressPattern::parse("*@firm.de-mail.de").value(),
                                               "any",
                                               {},
                                               false,
                                               {},
                                               {}}}};

    [[nodiscard]] std::variant<relay::Admitted, Reply>
    admit(const SealedMessage &message, const std::vector<std::string> &recipients) const {
        return relay::admit({keys, rules, std::chrono::seconds(86400)}, message.with_seal(),
                            sha256(message.body), recipients, now / 1'000'000);
    }
    std::vector<Reply> deliver(const SealedMessage &message,
                               const std::vector<std::string> &recipients) {
        relay::IncomingMessage incoming(directory.path());
        incoming.receive(message.text());
        if (incoming.complete() != relay::IncomingMessage::Fault::none)
            throw std::runtime_error("not a message");
        auto admitted = admit(message, recipients);
        return submit(std::get<relay::Admitted>(admitted), incoming);
    }

    std::vector<Reply> submit(const relay::Admitted &admitted,
                              const relay::IncomingMessage &incoming) {
        const std::string queue_id = "4abc";
        return submitter.submit({admitted, incoming, account, evidence, std::chrono::seconds(60),
                                 queue_id,
                                 [&] { return admitted.barred ? admitted.barred : bar; }});
    }

    /// What a part that works without a delivery needs.
    [[nodiscard]] relay::Settings settings() const {
        return {
            std::make_shared<const Configuration>(),
            keys,
            {{"firm", std::make_shared<relay::Account>(
                          "firm", "fp", [to = provider] { return std::make_unique<Shared>(to); })}},
            std::make_shared<relay::Spool>(directory.path()),
            evidence,
            {}};
    }

  private:
    /// The account owns its wire; the test wants to look at it afterwards.
    class Shared final : public soap::Provider {
      public:
        explicit Shared(std::shared_ptr<FakeProvider> to) : to_(std::move(to)) {}
        soap::Answer<soap::Account> get_account() override { return to_->get_account(); }
        soap::Answer<soap::Domains> get_domains(const std::optional<std::string> &v) override {
            return to_->get_domains(v);
        }
        soap::Answer<soap::DirectoryEntry> look_up_recipient(const Address &address) override {
            return to_->look_up_recipient(address);
        }
        soap::Answer<soap::Submitted> submit(const soap::Submission &s) override {
            return to_->submit(s);
        }
        soap::Answer<soap::Found> find_submission(const std::string &id,
                                                  soap::Exchange *exchange) override {
            return to_->find_submission(id, exchange);
        }
        soap::Answer<soap::Message> fetch_message(const std::string &id, int file) override {
            return to_->fetch_message(id, file);
        }

      private:
        std::shared_ptr<FakeProvider> to_;
    };
};

} // namespace demail::test
