// A reply counts only when everything about it holds.
#include "check.hpp"
#include "soap/payload.hpp"
#include "soap/verify.hpp"
#include "soap_reply.hpp"

#include <openssl/rsa.h>

using namespace demail;
using namespace demail::test;
using namespace std::chrono_literals;

namespace {

const SoftwareKey &provider() {
    static const auto key = make_key("RSA");
    return *key;
}

const soap::ReplyCheck &reply_check() {
    static const soap::ReplyCheck check(source_directory() + "/xsd/provider.xsd",
                                        {fingerprint(provider())});
    return check;
}

using Result = std::variant<soap::Payload, soap::Fault, soap::NoAnswer>;

Result read(const soap::HttpReply &http, const std::string &expected = "Account") {
    return reply_check().read(http, expected, message_id, now());
}

// Why the reply does not count; "" where it does.
std::string doubt(const soap::HttpReply &http, const std::string &expected = "Account") {
    const Result result = read(http, expected);
    const auto *no_answer = std::get_if<soap::NoAnswer>(&result);
    return no_answer != nullptr ? no_answer->why : "";
}

std::string doubt(const Reply &reply) {
    return doubt(reply.http(provider()));
}

std::string doubt_of_text(const std::string &text) {
    return doubt({200, "application/soap+xml", text});
}

#define CHECK_DOUBT(actual, words)                                                                 \
    do {                                                                                           \
        const std::string why = (actual);                                                          \
        if (why.find(words) == std::string::npos)                                                  \
            throw Failure{"the doubt is \"" + why + "\", not about \"" + (words) + "\"", __FILE__, \
                          __LINE__};                                                               \
    } while (false)

// Within a Body that declares "soap".
std::string fault_payload(const std::string &detail) {
    return "<soap:Fault><soap:Code><soap:Value>soap:Receiver</soap:Value></soap:Code><soap:Reason>"
           "<soap:Text>no</soap:Text></soap:Reason><soap:Detail>" +
           detail + "</soap:Detail></soap:Fault>";
}

Reply fault_reply() {
    Reply reply;
    reply.status = 500;
    reply.action = std::string(soap::names::provider) + "/ProviderFault";
    reply.payload = fault_payload(
        fmt::format(R"(<p:ProviderFault xmlns:p="{}"><p:code>unavailable</p:code>)"
                    "<p:reason>later</p:reason><p:retryAfterSeconds>60</p:retryAfterSeconds>"
                    "</p:ProviderFault>",
                    soap::names::provider));
    return reply;
}

} // namespace

static void a_good_reply_is_read() {
    const Result result = read(Reply{}.http(provider()));
    const auto &payload = std::get<soap::Payload>(result);
    const soap::Account account = soap::read_account(payload.element);
    CHECK_EQUAL(account.holder, "Firm");
    CHECK(account.high_level);
    CHECK_EQUAL(account.domains.at(0), "firm.de-mail.de");
    CHECK(account.rights.has(Option::personal));
    CHECK_EQUAL(account.max_message_bytes, 1000U);
}

static void a_signed_fault_is_read() {
    CHECK_EQUAL(doubt(fault_reply()), "");
    const Result result = read(fault_reply().http(provider()));
    const auto &fault = std::get<soap::Fault>(result);
    CHECK_EQUAL(fault.code, "unavailable");
    CHECK_EQUAL(fault.reason, "later");
    CHECK_EQUAL(fault.retry_after_seconds.value(), 60U);
}

static void http_status_and_payload_fit() {
    Reply reply = fault_reply();
    reply.status = 200;
    CHECK_DOUBT(doubt(reply), "HTTP status 200 does not fit");
    reply = Reply{};
    reply.status = 500;
    CHECK_DOUBT(doubt(reply), "HTTP status 500 does not fit");
    reply.status = 202;
    CHECK_DOUBT(doubt(reply), "HTTP status is 202");
}

static void a_fault_without_the_services_detail_does_not_count() {
    Reply reply = fault_reply();
    reply.payload = fault_payload("");
    CHECK_DOUBT(doubt(reply), "not the expected ProviderFault");
}

static void only_soap_is_read() {
    soap::HttpReply http = Reply{}.http(provider());
    http.content_type = "Application/SOAP+XML ; charset=utf-8";
    CHECK_EQUAL(doubt(http), "");
    for (const char *type : {"text/xml", "", "application/soap+xmlx", "multipart/related"}) {
        http.content_type = type;
        CHECK_DOUBT(doubt(http), "Content-Type");
    }
}

static void a_reply_to_another_request_does_not_count() {
    Reply reply;
    reply.relates_to = "urn:uuid:00000000-0000-4000-8000-000000000000";
    CHECK_DOUBT(doubt(reply), "another request");
}

static void a_reply_of_another_kind_does_not_count() {
    CHECK_DOUBT(doubt(Reply{}.http(provider()), "Submitted"), "not the expected Submitted");
    Reply reply;
    reply.action = std::string(soap::names::provider) + "/Submitted";
    CHECK_DOUBT(doubt(reply), "Action is another");
}

static void the_schema_is_held_against_it() {
    Reply reply;
    reply.payload = replaced(reply.payload, "<p:authLevel>high", "<p:authLevel>highest");
    CHECK_DOUBT(doubt(reply), "not valid by the schema");
}

static void an_old_or_future_reply_does_not_count() {
    const auto aged = [](std::chrono::seconds age) {
        Reply reply;
        reply.created -= age;
        return doubt(reply);
    };
    CHECK_EQUAL(aged(5min + 50s), ""); // five minutes, and what clocks may differ
    CHECK_DOUBT(aged(6min + 10s), "too old");
    CHECK_EQUAL(aged(-50s), "");
    CHECK_DOUBT(aged(-70s), "of the future");
    Reply reply;
    reply.lifetime = 10s;
    reply.created -= 80s;
    CHECK_DOUBT(doubt(reply), "too old");
    reply.created = now() - 7min; // however long it says that it lives
    reply.lifetime = 1h;
    CHECK_DOUBT(doubt(reply), "too old");
    reply.created = now();
    reply.lifetime = -10s;
    CHECK_DOUBT(doubt(reply), "too old");
}

static void each_part_must_be_signed() {
    for (const auto &[id, name] : {std::pair{"body", "Body"},
                                   {"timestamp", "Timestamp"},
                                   {"action", "Action"},
                                   {"relates-to", "RelatesTo"}}) {
        Reply reply;
        reply.unsigned_parts = {id};
        CHECK_DOUBT(doubt(reply), std::string(name) + " is not signed");
    }
}

static void what_is_signed_must_not_change() {
    const std::string good = Reply{}.text(provider());
    CHECK_EQUAL(doubt_of_text(good), "");
    CHECK_DOUBT(doubt_of_text(replaced(good, "<p:holder>Firm", "<p:holder>Form")),
                "Body was changed");
    CHECK_DOUBT(doubt_of_text(replaced(good, "/Account</wsa", "/Accounts</wsa")),
                "Action was changed");
    CHECK_DOUBT(doubt_of_text(replaced(good, "<ds:DigestValue>", "<ds:DigestValue>AAAA")),
                "signature does not hold");
    CHECK_DOUBT(doubt_of_text(replaced(good, "<ds:SignatureValue>", "<ds:SignatureValue>AAAA")),
                "signature does not hold");
    // Comments are not signed and not read.
    CHECK_EQUAL(doubt_of_text(replaced(good, "<p:holder>Fi", "<p:holder>Fi<!-- x -->")), "");
}

static void a_reply_cut_at_any_byte_does_not_count() {
    const std::string good = Reply{}.text(provider());
    for (std::size_t length = 0; length < good.size(); ++length)
        CHECK(!doubt_of_text(good.substr(0, length)).empty());
    CHECK_EQUAL(doubt_of_text(good), "");
}

// libxml2 throws it out of the middle of the check.
static void what_has_no_canonical_form_does_not_count() {
    Reply reply;
    reply.payload = replaced(reply.payload, "<p:holder>", "<p:holder xmlns:x=\"relative\">");
    CHECK_DOUBT(doubt(reply), "its signature cannot be checked");
}

static void a_long_list_is_checked_in_well_under_a_second() {
    Reply reply;
    std::string domains;
    for (int i = 0; i < 25'000; ++i)
        domains += fmt::format("<p:domain>d{}.de</p:domain>", i);
    reply.payload = replaced(reply.payload, "<p:domain>firm.de-mail.de</p:domain>", domains);
    const soap::HttpReply http = reply.http(provider());
    const auto begin = std::chrono::steady_clock::now();
    const Result result = read(http);
    CHECK(std::chrono::steady_clock::now() - begin < 800ms);
    CHECK_EQUAL(soap::read_account(std::get<soap::Payload>(result).element).domains.size(),
                25'000U);
}

static void another_signer_does_not_count() {
    const auto other = make_key("RSA");
    CHECK_DOUBT(doubt(Reply{}.http(*other)), "not the provider's");
    // Nor with the provider's certificate in place of its own.
    const std::string swapped = replaced(Reply{}.text(*other), base64_der(other->certificate()),
                                         base64_der(provider().certificate()));
    CHECK_DOUBT(doubt_of_text(swapped), "signature does not hold");
}

static void either_of_two_signers_counts() {
    const auto next = make_key("P-256");
    const soap::ReplyCheck check(source_directory() + "/xsd/provider.xsd",
                                 {fingerprint(provider()), fingerprint(*next)});
    for (const SoftwareKey *key : {&provider(), static_cast<const SoftwareKey *>(next.get())}) {
        const Result result = check.read(Reply{}.http(*key), "Account", message_id, now());
        CHECK(std::holds_alternative<soap::Payload>(result));
    }
}

static void a_signers_certificate_must_be_valid_now() {
    for (const long shift : {-90000L, 7200L}) { // over an hour ago, in an hour
        const auto key = make_key("P-256", shift);
        const soap::ReplyCheck check(source_directory() + "/xsd/provider.xsd", {fingerprint(*key)});
        const Result result = check.read(Reply{}.http(*key), "Account", message_id, now());
        CHECK_DOUBT(std::get<soap::NoAnswer>(result).why, "not valid now");
    }
}

static void every_allowed_key_signs() {
    for (const char *kind : {"RSA", "P-256", "P-384", "P-521", "brainpoolP256r1"}) {
        const auto key = make_key(kind);
        const soap::ReplyCheck check(source_directory() + "/xsd/provider.xsd", {fingerprint(*key)});
        Reply reply;
        CHECK(std::holds_alternative<soap::Payload>(
            check.read(reply.http(*key), "Account", message_id, now())));
        reply.rsa_pss = true;
        CHECK(std::holds_alternative<soap::Payload>(
            check.read(reply.http(*key), "Account", message_id, now())));
    }
}

static void a_short_key_does_not_sign() {
    Pkey rsa(EVP_RSA_gen(1024)), ec(EVP_EC_gen("P-224"));
    for (Pkey *key : {&rsa, &ec}) {
        Certificate certificate = self_signed(key->get(), "short");
        const SoftwareKey signer(std::move(*key), std::move(certificate));
        const soap::ReplyCheck check(source_directory() + "/xsd/provider.xsd",
                                     {fingerprint(signer)});
        const auto result = check.read(Reply{}.http(signer), "Account", message_id, now());
        CHECK_DOUBT(std::get<soap::NoAnswer>(result).why, "too short");
    }
}

/// RFC 9231 2.3.10
static void a_pss_salt_is_as_long_as_the_digest() {
    constexpr std::string_view octets = "what is signed";
    const Pkey key(EVP_RSA_gen(2048));
    for (const int salt : {32, 0, 20, 64}) {
        const Handle<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
        EVP_PKEY_CTX *parameters = nullptr; // the context's own
        std::string value(256, '\0');
        std::size_t size = value.size();
        CHECK(EVP_DigestSignInit(context.get(), &parameters, EVP_sha256(), nullptr, key.get()) ==
                  1 &&
              EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1 &&
              EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, salt) == 1 &&
              EVP_DigestSign(context.get(), reinterpret_cast<unsigned char *>(value.data()), &size,
                             reinterpret_cast<const unsigned char *>(octets.data()),
                             octets.size()) == 1);
        const auto fault = soap::verify(
            key.get(), "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1", octets, value);
        CHECK_EQUAL(fault.has_value(), salt != 32);
    }
}

static void unreadable_signers_and_schemas_are_named() {
    const std::string schema = source_directory() + "/xsd/provider.xsd";
    CHECK_THROWS(soap::ReplyCheck(schema, {}), std::runtime_error);
    CHECK_THROWS(soap::ReplyCheck(schema, {"sha256:abcd"}), std::runtime_error);
    CHECK_THROWS(soap::ReplyCheck(schema, {"/nonexistent.pem"}), std::runtime_error);
    CHECK_THROWS(soap::ReplyCheck("/nonexistent.xsd", {fingerprint(provider())}),
                 std::runtime_error);
}

int main() {
    return run("soap reply", {TEST(a_good_reply_is_read),
                              TEST(a_signed_fault_is_read),
                              TEST(http_status_and_payload_fit),
                              TEST(a_fault_without_the_services_detail_does_not_count),
                              TEST(only_soap_is_read),
                              TEST(a_reply_to_another_request_does_not_count),
                              TEST(a_reply_of_another_kind_does_not_count),
                              TEST(the_schema_is_held_against_it),
                              TEST(an_old_or_future_reply_does_not_count),
                              TEST(each_part_must_be_signed),
                              TEST(what_is_signed_must_not_change),
                              TEST(a_reply_cut_at_any_byte_does_not_count),
                              TEST(what_has_no_canonical_form_does_not_count),
                              TEST(a_long_list_is_checked_in_well_under_a_second),
                              TEST(another_signer_does_not_count),
                              TEST(either_of_two_signers_counts),
                              TEST(a_signers_certificate_must_be_valid_now),
                              TEST(every_allowed_key_signs),
                              TEST(a_short_key_does_not_sign),
                              TEST(a_pss_salt_is_as_long_as_the_digest),
                              TEST(unreadable_signers_and_schemas_are_named)});
}
