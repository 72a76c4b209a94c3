// A provider's reply as a whole: XML, schema, signature, correlation, and what the relay makes of
// it. The first byte says which reply is expected, with which status it comes, and whether the
// provider signs what follows: then the parsers behind the signature get all that a malicious
// provider can say. Unsigned, what is believed is one of the few replies that were ever signed,
// whatever is wrapped around it.
#include "soap/reply.hpp"

#include "base/digest.hpp"
#include "fuzz.hpp"
#include "lmtp/protocol.hpp"
#include "message/address.hpp"
#include "relay/domain_rules.hpp"
#include "relay/outcome.hpp"
#include "replies.hpp"
#include "soap/canonical.hpp"
#include "soap/payload.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>

namespace demail::fuzz {
namespace {

constexpr std::size_t largest_field = 1000 * 4; // of xsd/provider.xsd, in UTF-8

const soap::ReplyCheck &check() {
    static const soap::ReplyCheck made = [] {
        const char *source = std::getenv("SRCDIR");
        Digest256 digest{};
        X509_digest(reply_signer().certificate(), EVP_sha256(), digest.data(), nullptr);
        return soap::ReplyCheck(std::string(source != nullptr ? source : ".") + "/xsd/provider.xsd",
                                {"sha256:" + hex(view(digest))});
    }();
    return made;
}

void is_a_good_reply(const Reply &reply) {
    HOLDS(reply.code == 250 || (reply.code >= 450 && reply.code < 560));
    const std::string line = lmtp::reply_line(reply);
    HOLDS(line.starts_with(std::to_string(reply.code) + ' ' + reply.enhanced + ' '));
    HOLDS(line.size() <= 512 && std::count(line.begin(), line.end(), '\n') == 1);
    // Nothing but ASCII is left to escape, and nothing had to be cut.
    HOLDS(line == std::to_string(reply.code) + ' ' + reply.enhanced + ' ' + reply.text + "\r\n");
}

void becomes_an_outcome(const soap::Fault &fault) {
    HOLDS(!fault.code.empty() && fault.reason.size() <= largest_field);
    const auto outcome = relay::outcome_of(fault, "fp");
    is_a_good_reply(outcome.reply);
    HOLDS(outcome.reply.code >= 400);
    HOLDS(outcome.retry_after.count() >= 0 && outcome.retry_after.count() <= 3600);
    HOLDS(outcome.state == journal::State::refused || outcome.state == journal::State::deferred ||
          outcome.look_up);
    HOLDS((outcome.reply.code >= 500) == (outcome.state == journal::State::refused));
}

void becomes_domains(const soap::Domains &domains) {
    relay::DomainMemory memory;
    const auto own = [](const std::string &domain) { return domain == "own.example"; };
    const auto hint = [](const std::string &domain) { return domain == "hint.example"; };
    (void)relay::take_list(memory, "fp", domains.version, domains.domains, {own, hint});
    for (const std::string &domain : memory.providers["fp"].domains)
        HOLDS(below_de_mail(domain) || domain == "hint.example");
    const auto again = relay::DomainMemory::parse(memory.str());
    HOLDS(again && again->str() == memory.str());
}

void is_read(const std::string &name, const xmlNode *element) {
    if (name == "Account") {
        const auto account = soap::read_account(element);
        HOLDS(account.holder.size() <= largest_field);
    } else if (name == "Domains") {
        becomes_domains(soap::read_domains(element));
    } else if (name == "Submitted") {
        const auto submitted = soap::read_submitted(element);
        HOLDS(!submitted.private_id.empty() && !submitted.message_id.empty());
        is_a_good_reply(relay::outcome_for_accepted(submitted.message_id, "fp").reply);
        for (const auto &rejected : submitted.rejected)
            is_a_good_reply(relay::reply_for_rejected(rejected.code, rejected.reason, "fp"));
    } else if (name == "Recipient") {
        const auto entry = soap::read_directory_entry(element);
        HOLDS(!entry.address.empty() && entry.address.size() <= largest_field);
    } else {
        const auto found = soap::read_submission(element);
        HOLDS(!found.private_id.empty());
        HOLDS(found.reason.size() <= largest_field);
    }
}

bool was_signed(const std::string &name, xmlNode *element) {
    const std::string payload = soap::canonical(element);
    return std::any_of(signed_replies.begin(), signed_replies.end(), [&](const SignedReply &one) {
        return one.name == name && one.payload == payload;
    });
}

std::variant<soap::Payload, soap::Fault, soap::NoAnswer>
answer_to(long status, const std::string &name, const std::string &body) {
    const soap::HttpReply http{status, "application/soap+xml; charset=utf-8", body};
    return check().read(http, name, std::string(asked_id), asked_at());
}

// Else nothing behind the signature would be reached, and nobody would notice.
bool honest_replies_are_believed() {
    for (const SignedReply &one : signed_replies) {
        const bool fault = one.name == "ProviderFault";
        const auto answer = answer_to(fault ? 500 : 200, std::string(one.name),
                                      sign_envelope(unsigned_envelope(one)));
        HOLDS(answer.index() == (fault ? 1U : 0U));
    }
    return true;
}

} // namespace

void reply(std::string_view input) {
    static const bool tried [[maybe_unused]] = honest_replies_are_believed();
    Input taken(input);
    const std::uint8_t choices = taken.byte();
    const bool recipient = (choices & 32U) != 0;
    const std::string name(recipient ? "Recipient" : signed_replies[choices & 3U].name);
    constexpr long statuses[] = {200, 400, 500, 200};
    const bool provider_signs = (choices & 16U) != 0;
    const long status = statuses[choices >> 2U & 3U];
    const auto answer = answer_to(
        status, name, provider_signs ? sign_envelope(taken.rest()) : std::string(taken.rest()));
    if (const auto *none = std::get_if<soap::NoAnswer>(&answer)) {
        HOLDS(!none->why.empty());
        is_a_good_reply(relay::outcome_of(*none, "fp").reply);
    } else if (const auto *fault = std::get_if<soap::Fault>(&answer)) {
        HOLDS(status != 200);
        becomes_an_outcome(*fault);
        if (!provider_signs) HOLDS(fault->code == "unavailable" && fault->reason == "Later");
    } else {
        HOLDS(status == 200);
        xmlNode *element = std::get<soap::Payload>(answer).element;
        if (!provider_signs) HOLDS(was_signed(name, element));
        is_read(name, element);
    }
}

} // namespace demail::fuzz
