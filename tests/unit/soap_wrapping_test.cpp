// Signature wrapping and other games with the structure of a signed reply.
#include "base/ecdsa_value.hpp"
#include "check.hpp"
#include "soap_reply.hpp"

using namespace demail;
using namespace demail::test;

namespace {

const SoftwareKey &provider() {
    static const auto key = make_key("P-256");
    return *key;
}

std::string doubt(const std::string &text) {
    static const soap::ReplyCheck check(source_directory() + "/xsd/provider.xsd",
                                        {fingerprint(provider())});
    const auto result =
        check.read({200, "application/soap+xml", text}, "Account", message_id, now());
    const auto *no_answer = std::get_if<soap::NoAnswer>(&result);
    return no_answer != nullptr ? no_answer->why : "";
}

bool about(const std::string &why, const std::string &words) {
    if (!words.empty() && why.find(words) != std::string::npos) return true;
    std::fprintf(stderr, "the doubt is: %s\n", why.c_str());
    return false;
}

const std::string &good() {
    // One for all: another second is another Timestamp.
    static const std::string text = Reply{}.text(provider());
    return text;
}

// A Body that was never signed, in the place of the signed one.
std::string forged_body(const std::string &id) {
    Reply reply;
    reply.payload = replaced(reply.payload, "Firm", "Forged");
    return replaced(reply.body(), R"( wsu:Id="body")", id);
}

std::string between(const std::string &text, std::string_view from, std::string_view to) {
    const std::size_t at = text.find(from);
    if (at == std::string::npos) throw std::runtime_error("no " + std::string(from));
    return text.substr(at, text.find(to, at) - at + to.size());
}

// The reply with another SignedInfo (which is its own canonical form), signed by the provider: what
// it says is then looked at, not only that it was changed.
std::string with_signed_info(const std::string &reply, const std::string &changed) {
    std::string der(80, '\0');
    std::size_t size = der.size();
    const Handle<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
    CHECK(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, provider().pkey()) ==
          1);
    CHECK(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char *>(der.data()), &size,
                         reinterpret_cast<const unsigned char *>(changed.data()),
                         changed.size()) == 1);
    const std::string value = base64(raw_ecdsa(std::string_view(der).substr(0, size), 32).value());
    const std::string text =
        replaced(reply, between(reply, "<ds:SignedInfo", "</ds:SignedInfo>"), changed);
    return replaced(text, between(text, "<ds:SignatureValue>", "</ds:SignatureValue>"),
                    "<ds:SignatureValue>" + value + "</ds:SignatureValue>");
}

std::string signed_info() {
    return between(good(), "<ds:SignedInfo", "</ds:SignedInfo>");
}

// What is said of a reply in whose SignedInfo the first of these was replaced before it was signed.
std::string signed_doubt(std::string_view from, std::string_view to) {
    const std::string reply = good();
    return doubt(with_signed_info(
        reply, replaced(between(reply, "<ds:SignedInfo", "</ds:SignedInfo>"), from, to)));
}

const std::string wrapper_begin = R"(<w:Wrapper xmlns:w="urn:w">)";
const std::string wrapper_end = "</w:Wrapper>";

} // namespace

static void a_signed_body_kept_in_a_header_does_not_count() {
    const std::string body = Reply{}.body();
    const std::string moved = replaced(good(), body, forged_body(""));
    CHECK(about(doubt(replaced(moved, "<wsse:Security",
                               wrapper_begin + body + wrapper_end + "<wsse:Security")),
                "Body is not signed"));
}

static void a_signed_body_kept_in_the_security_header_does_not_count() {
    const std::string body = Reply{}.body();
    const std::string moved = replaced(good(), body, forged_body(""));
    CHECK(about(doubt(replaced(moved, "</wsse:Security>",
                               wrapper_begin + body + wrapper_end + "</wsse:Security>")),
                "Body is not signed"));
}

static void two_elements_with_one_id_do_not_count() {
    const std::string body = Reply{}.body();
    const std::string moved = replaced(good(), body, forged_body(R"( wsu:Id="body")"));
    for (const char *place : {"<wsse:Security", "</wsse:Security>"})
        CHECK(about(doubt(replaced(moved, place, wrapper_begin + body + wrapper_end + place)),
                    "same Id"));
    // Whatever the attribute is called.
    for (const char *id : {R"(Id="body")", R"(ID="body")", R"(id="body")", R"(xml:id="body")"})
        CHECK(about(
            doubt(replaced(good(), "<wsse:Security",
                           std::string(R"(<w:W xmlns:w="urn:w" )") + id + "/><wsse:Security")),
            "same Id"));
}

static void a_second_body_or_header_does_not_count() {
    const std::string body = Reply{}.body();
    CHECK(about(doubt(replaced(good(), body, forged_body("") + body)), "one Header and one Body"));
    CHECK(about(doubt(replaced(good(), body, body + forged_body(""))), "one Header and one Body"));
    CHECK(
        about(doubt(replaced(good(), "<soap:Header>", "<soap:Header></soap:Header><soap:Header>")),
              "one Header and one Body"));
}

static void a_second_of_each_header_does_not_count() {
    Reply reply;
    reply.more_header = Reply::element("Action", "action-2", reply.action);
    CHECK(about(doubt(reply.text(provider())), "one Action and one RelatesTo"));
    reply.more_header = Reply::element("RelatesTo", "relates-to-2", message_id);
    CHECK(about(doubt(reply.text(provider())), "one Action and one RelatesTo"));
    reply.more_header.clear();
    reply.more_security = replaced(reply.timestamp(), R"("timestamp")", R"("timestamp-2")");
    CHECK(about(doubt(reply.text(provider())), "one Timestamp"));
    reply.more_security = fmt::format(R"(<ds:Signature xmlns:ds="{}"/>)", soap::names::xmldsig);
    CHECK(about(doubt(reply.text(provider())), "one signature"));
    reply.more_security = "<wsse:BinarySecurityToken/>";
    CHECK(about(doubt(reply.text(provider())), "one BinarySecurityToken"));
    reply.more_security.clear();
    reply.more_header = fmt::format(R"(<wsse:Security xmlns:wsse="{}"/>)", soap::names::wsse);
    CHECK(about(doubt(reply.text(provider())), "one Security"));
}

static void a_second_element_in_the_body_does_not_count() {
    Reply reply;
    reply.payload += reply.payload;
    CHECK(about(doubt(reply.text(provider())), "not exactly one element"));
}

static void a_header_that_must_be_understood_is_not_passed_over() {
    Reply reply;
    reply.more_header = R"(<w:W xmlns:w="urn:w" soap:mustUnderstand="1"/>)";
    CHECK(about(doubt(reply.text(provider())), "must be understood"));
    reply.more_header = R"(<w:W xmlns:w="urn:w" soap:mustUnderstand="false"/>)";
    CHECK_EQUAL(doubt(reply.text(provider())), "");
}

static void other_transforms_and_algorithms_do_not_count() {
    CHECK_EQUAL(doubt(with_signed_info(good(), signed_info())), "");
    const std::string c14n =
        fmt::format(R"(<ds:Transform Algorithm="{}"></ds:Transform>)", soap::names::exclusive_c14n);
    for (const char *other : {"http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
                              "http://www.w3.org/TR/1999/REC-xslt-19991116",
                              "http://www.w3.org/2000/09/xmldsig#enveloped-signature"}) {
        const std::string transform =
            fmt::format(R"(<ds:Transform Algorithm="{}"></ds:Transform>)", other);
        CHECK(about(signed_doubt(c14n, transform), "other than exclusive C14N"));
        CHECK(about(signed_doubt(c14n, c14n + transform), "other than exclusive C14N"));
        CHECK(about(signed_doubt(c14n, transform + c14n), "other than exclusive C14N"));
    }
    CHECK(about(signed_doubt(c14n, ""), "other than exclusive C14N"));
    CHECK(about(signed_doubt("http://www.w3.org/2001/04/xmlenc#sha256",
                             "http://www.w3.org/2000/09/xmldsig#sha1"),
                "digest other than"));
    const auto uri = [](std::string_view from, std::string_view to) {
        return doubt(replaced(good(), from, to));
    };
    CHECK(about(uri("2001/04/xmldsig-more#ecdsa-sha256", "2000/09/xmldsig#rsa-sha1"),
                "algorithm that is not allowed"));
    CHECK(about(uri("2001/04/xmldsig-more#ecdsa-sha256", "2001/04/xmldsig-more#rsa-sha256"),
                "does not fit the algorithm"));
    CHECK(about(uri("2001/04/xmldsig-more#ecdsa-sha256", "2000/09/xmldsig#hmac-sha1"),
                "algorithm that is not allowed"));
    CHECK(about(
        uri(R"(CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#")",
            R"(CanonicalizationMethod Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315")"),
        "other than exclusive C14N"));
}

static void key_info_must_name_the_token() {
    CHECK(about(doubt(replaced(good(), R"(<wsse:Reference URI="#token")",
                               R"(<wsse:Reference URI="#body")")),
                "KeyInfo does not name"));
}

static void an_ecdsa_value_of_another_form_does_not_count() {
    const std::string text = good();
    const std::size_t at = text.find("<ds:SignatureValue>") + 19;
    const std::size_t end = text.find('<', at);
    const std::string raw = from_base64(text.substr(at, end - at)).value();
    for (const std::string &value :
         {raw.substr(1), raw + '\0', std::string(64, '\0'), std::string(),
          '\0' + raw.substr(0, 32) + '\0' + raw.substr(32)}) // the same numbers
        CHECK(!doubt(std::string(text).replace(at, end - at, base64(value))).empty());
}

static void a_prefix_list_counts_into_the_digest() {
    // The Body as signed by a peer whose PrefixList names "x": its declaration, which the Body
    // inherits and does not use, is part of the digest.
    Reply reply;
    const std::string list = fmt::format(R"(<ec:InclusiveNamespaces xmlns:ec="{}" PrefixList="x">)"
                                         "</ec:InclusiveNamespaces>",
                                         soap::names::exclusive_c14n);
    const std::string octets =
        replaced(reply.body(), R"( wsu:Id="body")", R"( xmlns:x="urn:x" wsu:Id="body")");
    const std::string declared =
        replaced(good(), "<soap:Envelope ", R"(<soap:Envelope xmlns:x="urn:x" )");
    CHECK_EQUAL(doubt(declared), ""); // without a list the declaration does not matter
    const std::string plain = base64(view(sha256(reply.body())));
    const std::string inclusive = base64(view(sha256(octets)));
    std::string changed =
        replaced(between(declared, "<ds:SignedInfo", "</ds:SignedInfo>"), plain, inclusive);
    changed = replaced(changed, "</ds:Transform>", list + "</ds:Transform>");
    const std::string text = with_signed_info(declared, changed);
    CHECK_EQUAL(doubt(text), "");
    CHECK(about(doubt(replaced(text, R"(xmlns:x="urn:x")", R"(xmlns:x="urn:y")")),
                "Body was changed"));
}

static void what_a_signature_refers_to_is_in_the_reply() {
    for (const char *uri : {"", "#", "#nobody", "body", "http://localhost/body", "cid:body"})
        CHECK(about(signed_doubt(R"(URI="#body")", fmt::format(R"(URI="{}")", uri)),
                    "refers to an element that is not there"));
}

static void a_signature_of_endless_work_is_not_begun() {
    const std::string body =
        between(signed_info(), R"(<ds:Reference URI="#body")", "</ds:Reference>");
    std::string many, prefixes;
    for (int i = 0; i < 13; ++i)
        many += body;
    CHECK(about(signed_doubt(body, many + body), "more than 16 references"));
    CHECK_EQUAL(signed_doubt(body, many), "");
    for (int i = 0; i < 33; ++i)
        prefixes += fmt::format("p{} ", i);
    const auto listed = [&](const std::string &names) {
        return signed_doubt("</ds:Transform>",
                            fmt::format(R"(<ec:InclusiveNamespaces xmlns:ec="{}" PrefixList="{}">)"
                                        "</ec:InclusiveNamespaces></ds:Transform>",
                                        soap::names::exclusive_c14n, names));
    };
    CHECK(about(listed(prefixes), "other than exclusive C14N"));
    CHECK_EQUAL(listed(prefixes.substr(prefixes.find(' ') + 1)), "");
}

int main() {
    return run("soap wrapping", {TEST(a_signed_body_kept_in_a_header_does_not_count),
                                 TEST(a_signed_body_kept_in_the_security_header_does_not_count),
                                 TEST(two_elements_with_one_id_do_not_count),
                                 TEST(a_second_body_or_header_does_not_count),
                                 TEST(a_second_of_each_header_does_not_count),
                                 TEST(a_second_element_in_the_body_does_not_count),
                                 TEST(a_header_that_must_be_understood_is_not_passed_over),
                                 TEST(other_transforms_and_algorithms_do_not_count),
                                 TEST(key_info_must_name_the_token),
                                 TEST(an_ecdsa_value_of_another_form_does_not_count),
                                 TEST(a_prefix_list_counts_into_the_digest),
                                 TEST(what_a_signature_refers_to_is_in_the_reply),
                                 TEST(a_signature_of_endless_work_is_not_begun)});
}
