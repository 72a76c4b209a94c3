// The request: its form, its signature, its HTTP body. Held against libxml2 and the xmlsec1
// program.
#include "check.hpp"
#include "soap/canonical.hpp"
#include "soap/post.hpp"
#include "soap/xml_text.hpp"
#include "soap_reply.hpp"

#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <fstream>

using namespace demail;
using namespace demail::test;

namespace {

const std::string url = "https://provider.example/demail?a=1&b=2";

struct Request {
    Fd file{::memfd_create("content", MFD_CLOEXEC)};
    soap::Submission submission;

    explicit Request(const std::string &body, const std::string &own_id = "")
        : submission{
              PrivateId::parse("g1-0123456789abcdef0123456789abcdef01234567" + own_id).value(),
              Address::parse("Alice@firm.de-mail.de").value(),
              {{Address::parse("bob@other.de-mail.de").value(), RecipientField::to},
               {Address::parse("carla@other.de-mail.de").value(), RecipientField::cc}},
              {},
              {}} {
        submission.options.set(Option::confirmation_of_dispatch);
        submission.options.set(Option::personal);
        submission.content = {"Subject: x\r\n\r\n", file.get(), 0, body.size()};
        CHECK_EQUAL(::pwrite(file.get(), body.data(), body.size(), 0),
                    static_cast<ssize_t>(body.size()));
    }
    [[nodiscard]] soap::RequestBody body() const {
        return soap::submit_request(submission).value();
    }
};

soap::Envelope envelope(const soap::RequestBody &body, const SoftwareKey &key, bool pss = false) {
    return std::get<soap::Envelope>(soap::write_envelope(body, url, key, pss, now()));
}

// The document whose infoset the message has: base64 in place of the xop:Include.
std::string infoset(const soap::Envelope &envelope, const std::string &content) {
    const std::size_t from = envelope.text.find("<xop:Include");
    const std::size_t to = envelope.text.find("</xop:Include>") + 14;
    return std::string(envelope.text).replace(from, to - from, base64(content));
}

soap::Document parse(const std::string &text) {
    auto parsed = soap::parse_document(text);
    if (const auto *fault = std::get_if<std::string>(&parsed)) throw std::runtime_error(*fault);
    return std::get<soap::Document>(std::move(parsed));
}

struct Parts {
    soap::Document document;
    xmlNode *security, *body;
    std::vector<xmlNode *> must_be_signed;

    explicit Parts(const std::string &text) : document(parse(text)) {
        const xmlNode *root = xmlDocGetRootElement(document.get());
        const xmlNode *header = soap::only(root, soap::names::envelope, "Header");
        body = soap::only(root, soap::names::envelope, "Body");
        security = soap::only(header, soap::names::wsse, "Security");
        must_be_signed = {body, soap::only(security, soap::names::wsu, "Timestamp")};
        for (const char *name : {"To", "Action", "MessageID"})
            must_be_signed.push_back(soap::only(header, soap::names::addressing, name));
    }
};

std::string all_of(soap::Post &post, std::size_t room) {
    std::string bytes, buffer(room, '\0');
    while (const std::size_t got = post.read(buffer.data(), buffer.size()))
        bytes.append(buffer, 0, got);
    return bytes;
}

int run_program(const std::vector<std::string> &words) {
    std::vector<char *> arguments;
    for (const std::string &word : words)
        arguments.push_back(const_cast<char *>(word.c_str()));
    arguments.push_back(nullptr);
    pid_t pid = 0;
    if (::posix_spawnp(&pid, arguments[0], nullptr, nullptr, arguments.data(), environ) != 0)
        return 127;
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

} // namespace

static void text_is_escaped_as_canonical_xml_does() {
    CHECK_EQUAL(soap::canonical_text("a<b>&\"'\r\n\tä€😀").value(),
                "a&lt;b&gt;&amp;\"'&#xD;\n\tä€😀");
    for (const std::string_view bad :
         {"\x01", "\x1f", "\x7f\x80", "\xc0\x80", "\xed\xa0\x80", "\xef\xbf\xbf",
          "\xf5\x80\x80\x80", "\xe2\x82", "\xe0\x80\x80", "\xf4\x90\x80\x80"})
        CHECK(!soap::canonical_text(bad));
    CHECK(!soap::canonical_text(std::string_view("\0", 1)));
}

static void moments_are_read_as_they_are_written() {
    CHECK_EQUAL(write_instant(noon), "2026-06-01T12:00:00.000Z");
    CHECK(read_instant("2026-06-01T12:00:00.0009Z") == noon);
    CHECK(read_instant("2026-06-01T12:00:00.25Z") == noon + std::chrono::milliseconds(250));
    CHECK(read_instant("2028-02-29T00:00:00Z").has_value());
    for (const char *bad : {"", "2026-06-01T12:00:00", "2026-06-01T12:00:00+00:00",
                            "2026-02-29T00:00:00Z", "2026-06-01T24:00:00Z", "2026-06-01 12:00:00Z",
                            "2026-06-01T12:00:00.Z", "2026-06-01T12:00:00Zx",
                            "-026-06-01T12:00:00Z", "2026-06-01T12:00:60Z", "1969-06-01T12:00:00Z"})
        CHECK(!read_instant(bad));
}

static void a_value_that_xml_cannot_carry_is_refused() {
    CHECK(!soap::find_submission_request("a\x01"));
    CHECK(!soap::get_domains_request("\xff"));
}

static void requests_fit_the_schema() {
    const soap::Schema schema(source_directory() + "/xsd/provider.xsd");
    const auto key = make_key("P-256");
    const Request request("body\r\n");
    for (const auto &body :
         {request.body(), soap::get_account_request(), soap::get_domains_request("7").value(),
          soap::lookup_recipient_request(*Address::parse("bob@x.de-mail.de")).value(),
          soap::get_domains_request(std::nullopt).value(),
          soap::find_submission_request("g1-<x>").value()}) {
        const Parts parts(body.content != nullptr
                              ? infoset(envelope(body, *key), "Subject: x\r\n\r\nbody\r\n")
                              : envelope(body, *key).text);
        CHECK_EQUAL(schema.check(soap::elements(parts.body).at(0)).value_or(""), "");
    }
}

static void a_submission_looks_like_this() {
    CHECK_EQUAL(
        Request("", ";<&>").body().head,
        R"(<soap:Body xmlns:soap="http://www.w3.org/2003/05/soap-envelope" xmlns:wsu=)"
        R"("http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd")"
        R"( wsu:Id="body"><p:Submit xmlns:p="urn:de-mail-gateway:provider:1">)"
        "<p:privateId>g1-0123456789abcdef0123456789abcdef01234567;&lt;&amp;&gt;</p:privateId>"
        "<p:sender>alice@firm.de-mail.de</p:sender>"
        R"(<p:recipient field="to">bob@other.de-mail.de</p:recipient>)"
        R"(<p:recipient field="cc">carla@other.de-mail.de</p:recipient>)"
        "<p:option>confirmation-of-dispatch</p:option><p:option>private</p:option>"
        "<p:content>");
}

static void what_is_written_is_its_own_canonical_form() {
    const Request request("body\r\n", ";<&> \"'");
    const std::string content = "Subject: x\r\n\r\nbody\r\n";
    const std::string text = infoset(envelope(request.body(), *make_key("P-256")), content);
    const Parts parts(text);
    for (xmlNode *part : parts.must_be_signed)
        CHECK(text.find(soap::canonical(part)) != std::string::npos);
    xmlNode *signature = soap::only(parts.security, soap::names::xmldsig, "Signature");
    CHECK(text.find(soap::canonical(soap::only(signature, soap::names::xmldsig, "SignedInfo"))) !=
          std::string::npos);
}

static void every_part_is_signed_by_every_kind_of_key() {
    const std::string body(100'000, 'x');
    const Request request(body);
    for (const char *kind : {"RSA", "P-256", "P-384", "P-521", "brainpoolP384r1"})
        for (const bool pss : {false, true}) {
            const auto key = make_key(kind);
            const Parts parts(
                infoset(envelope(request.body(), *key, pss), "Subject: x\r\n\r\n" + body));
            const soap::Signers signers({fingerprint(*key)});
            CHECK_EQUAL(soap::check_signature(parts.security, parts.must_be_signed, signers, now())
                            .value_or(""),
                        "");
        }
}

static void xmlsec1_takes_the_signature_over_the_infoset() {
    const auto key = make_key("RSA");
    const std::string body(1'000'000, 'x');
    const Request request(body);
    const std::string text = infoset(envelope(request.body(), *key), "Subject: x\r\n\r\n" + body);
    std::string directory = "/tmp/demail-soap-test-XXXXXX";
    CHECK(::mkdtemp(directory.data()) != nullptr);
    const std::string certificate = directory + "/signer.pem";
    const auto verify = [&](const std::string &document) {
        std::ofstream(directory + "/request.xml", std::ios::binary) << document;
        std::vector<std::string> words{"xmlsec1", "--verify", "--pubkey-cert-pem", certificate};
        for (const char *name :
             {"Body", "Timestamp", "To", "Action", "MessageID", "BinarySecurityToken"}) {
            words.insert(words.end(), {"--id-attr:Id", name});
        }
        words.push_back(directory + "/request.xml");
        return run_program(words);
    };
    {
        const Handle<BIO, BIO_free_all> out(BIO_new_file(certificate.c_str(), "w"));
        CHECK(PEM_write_bio_X509(out.get(), key->certificate()) == 1);
    }
    const int good = verify(text);
    const int bad = verify(replaced(text, base64("Subject: x\r\n"), base64("Subject: y\r\n")));
    for (const char *name : {"/request.xml", "/signer.pem"})
        ::unlink((directory + name).c_str());
    ::rmdir(directory.c_str());
    CHECK_EQUAL(good, 0);
    CHECK(bad != 0);
}

static void a_token_that_does_not_sign_is_a_token_fault() {
    const auto key = key_that_does_not_sign("The card is not there.");
    const auto written = soap::write_envelope(soap::get_account_request(), url, *key, false, now());
    CHECK_EQUAL(std::get<soap::TokenFault>(written).why, "The card is not there.");
}

static void the_http_body_is_as_long_as_it_says() {
    const std::string body(70'000, 'x');
    const Request request(body);
    const soap::RequestBody submit = request.body();
    const soap::Envelope written = envelope(submit, *make_key("P-256"));
    soap::Post post(written, submit);
    const std::string bytes = all_of(post, 64 * 1024);
    CHECK_EQUAL(bytes.size(), post.size());
    CHECK_EQUAL(all_of(post, 100), ""); // it ends once
    for (const std::size_t room : {7U, 1000U}) {
        post.rewind();
        CHECK(all_of(post, room) == bytes);
    }
    CHECK(bytes.find("\r\n\r\nSubject: x\r\n\r\n" + body + "\r\n--") != std::string::npos);
    CHECK(bytes.find("\r\n\r\n" + written.text + "\r\n--") != std::string::npos);
    CHECK(bytes.find("Content-ID: <" + written.content_id + ">") != std::string::npos);
    CHECK(written.text.find("href=\"cid:" + written.content_id + "\"") != std::string::npos);
    CHECK(
        post.content_type().starts_with("multipart/related; type=\"application/xop+xml\"; start="));
}

static void a_content_that_shrank_is_not_sent_whole() {
    const Request request("0123456789");
    const soap::RequestBody submit = request.body();
    soap::Post post(envelope(submit, *make_key("P-256")), submit);
    CHECK_EQUAL(::ftruncate(request.file.get(), 5), 0);
    CHECK_THROWS(all_of(post, 64 * 1024), std::runtime_error);
}

static void message_ids_are_uuids_and_differ() {
    const auto key = make_key("P-256");
    const std::string one = envelope(soap::get_account_request(), *key).message_id;
    const std::string two = envelope(soap::get_account_request(), *key).message_id;
    CHECK(one != two);
    CHECK_EQUAL(one.size(), std::string("urn:uuid:xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx").size());
    CHECK_EQUAL(one[23], '4');
    CHECK(std::string("89ab").find(one[28]) != std::string::npos);
}

int main() {
    return run(
        "soap envelope",
        {TEST(text_is_escaped_as_canonical_xml_does), TEST(moments_are_read_as_they_are_written),
         TEST(a_value_that_xml_cannot_carry_is_refused), TEST(requests_fit_the_schema),
         TEST(a_submission_looks_like_this), TEST(what_is_written_is_its_own_canonical_form),
         TEST(every_part_is_signed_by_every_kind_of_key),
         TEST(xmlsec1_takes_the_signature_over_the_infoset),
         TEST(a_token_that_does_not_sign_is_a_token_fault),
         TEST(the_http_body_is_as_long_as_it_says), TEST(a_content_that_shrank_is_not_sent_whole),
         TEST(message_ids_are_uuids_and_differ)});
}
