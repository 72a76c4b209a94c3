#include "soap/reference_provider.hpp"

#include "soap/envelope.hpp"
#include "soap/https.hpp"
#include "soap/payload.hpp"
#include "soap/reply.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <stdexcept>

namespace demail::soap {

namespace {

Instant now() {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(
        std::chrono::system_clock::now());
}

class Reference final : public Provider {
  public:
    Reference(const Endpoint &endpoint, std::shared_ptr<crypto::TokenKey> auth_key,
              std::shared_ptr<crypto::TokenKey> sign_key)
        : url_(endpoint.url), rsa_pss_(endpoint.rsa_pss), digest_(endpoint.digest),
          content_bytes_(endpoint.content_bytes), sign_key_(std::move(sign_key)),
          check_(endpoint.schema_directory + "/provider.xsd", endpoint.reply_signer),
          https_({endpoint.url, endpoint.ca_file, endpoint.name, endpoint.tls},
                 {endpoint.connect_timeout, endpoint.answer_timeout, endpoint.reply_bytes},
                 std::move(auth_key)) {}

    Answer<Account> get_account() override {
        return ask<Account>(get_account_request(), "Account", read_account);
    }

    Answer<Domains> get_domains(const std::optional<std::string> &known_version) override {
        return ask<Domains>(get_domains_request(known_version), "Domains", read_domains);
    }

    Answer<DirectoryEntry> look_up_recipient(const Address &address) override {
        auto answer = ask<DirectoryEntry>(lookup_recipient_request(address), "Recipient",
                                          read_directory_entry);
        const auto *entry = std::get_if<DirectoryEntry>(&answer);
        if (entry != nullptr && Address::parse(entry->address) != address)
            return NoAnswer{"The reply does not count: it is about another recipient."};
        return answer;
    }

    Answer<Submitted> submit(const Submission &submission) override {
        auto answer = ask<Submitted>(submit_request(submission), "Submitted", read_submitted,
                                     submission.exchange);
        return same_id(std::move(answer), submission.private_id.str());
    }

    Answer<Found> find_submission(const std::string &private_id, Exchange *exchange) override {
        return same_id(ask<Found>(find_submission_request(private_id), "Submission",
                                  read_submission, exchange),
                       private_id);
    }

    Answer<Message> fetch_message(const std::string &id, int file) override {
        auto answer = ask<Message>(fetch_message_request(id), "Message", read_message, nullptr,
                                   {file, content_bytes_});
        auto *message = std::get_if<Message>(&answer);
        if (message == nullptr) return answer;
        if (message->id != id)
            return NoAnswer{"The reply does not count: it is about another message."};
        message->bytes = static_cast<std::uint64_t>(::lseek(file, 0, SEEK_END));
        return answer;
    }

  private:
    template <typename Reply>
    Answer<Reply> ask(const std::optional<RequestBody> &body, const std::string &reply,
                      Reply (*read)(const xmlNode *), Exchange *exchange = nullptr,
                      ContentFile file = {}) {
        if (!body) return NotSent{"The request holds a character that XML cannot carry."};
        bool sent = false;
        try {
            const auto written = write_envelope(*body, url_, *sign_key_, rsa_pss_, now(), digest_);
            if (const auto *fault = std::get_if<TokenFault>(&written)) return *fault;
            const auto &envelope = std::get<Envelope>(written);
            Post post(envelope, *body);
            // What was begun to be written to a file is not begun again.
            const bool once = body->content != nullptr || file.file >= 0;
            const auto answer = https_.post(
                post, once ? Https::Sending::once : Https::Sending::repeatable, file, [&] {
                    if (exchange != nullptr) exchange->sending(envelope.text);
                });
            if (const auto *not_sent = std::get_if<NotSent>(&answer)) return *not_sent;
            if (const auto *fault = std::get_if<TokenFault>(&answer)) return *fault;
            sent = true;
            if (const auto *no_answer = std::get_if<NoAnswer>(&answer)) return *no_answer;
            const auto &http = std::get<HttpReply>(answer);
            if (exchange != nullptr) exchange->answered(http.body);

            const Content content{"", file.file, 0, http.content_bytes};
            const auto checked = check_.read(http, reply, envelope.message_id, now(),
                                             file.file >= 0 ? &content : nullptr, digest_);
            if (const auto *payload = std::get_if<Payload>(&checked)) return read(payload->element);
            if (const auto *fault = std::get_if<Fault>(&checked)) return *fault;
            return std::get<NoAnswer>(checked);
        } catch (const std::exception &error) {
            if (sent) return NoAnswer{fmt::format("The reply was not checked: {}.", error.what())};
            return NotSent{fmt::format("The request was not written: {}.", error.what())};
        }
    }

    template <typename Reply>
    static Answer<Reply> same_id(Answer<Reply> answer, const std::string &private_id) {
        const auto *reply = std::get_if<Reply>(&answer);
        if (reply != nullptr && reply->private_id != private_id)
            return NoAnswer{"The reply does not count: it is about another privateId."};
        return answer;
    }

    std::string url_;
    bool rsa_pss_;
    ContentDigest digest_;
    std::uint64_t content_bytes_;
    std::shared_ptr<crypto::TokenKey> sign_key_;
    ReplyCheck check_;
    Https https_;
};

} // namespace

std::unique_ptr<Provider> connect_reference(const Endpoint &endpoint,
                                            std::shared_ptr<crypto::TokenKey> auth_key,
                                            std::shared_ptr<crypto::TokenKey> sign_key) {
    return std::make_unique<Reference>(endpoint, std::move(auth_key), std::move(sign_key));
}

} // namespace demail::soap
