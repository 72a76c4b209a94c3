// What the signature covers of a message's content, in each of the ways that providers know. Held
// against libxml2's canonical form of the document that goes out.
#include "base/digest.hpp"
#include "check.hpp"
#include "soap/canonical.hpp"
#include "soap/document.hpp"
#include "soap/envelope.hpp"
#include "soap/names.hpp"
#include "software_key.hpp"

#include <sys/mman.h>

#include <map>

using namespace demail;
using namespace demail::test;

namespace {

const std::string header = "Subject: x\r\n\r\n";

struct Request {
    std::string bytes;
    Fd file{::memfd_create("content", MFD_CLOEXEC)};
    soap::Content content;
    soap::RequestBody body;

    explicit Request(std::string text) : bytes(std::move(text)) {
        CHECK_EQUAL(::pwrite(file.get(), bytes.data(), bytes.size(), 3),
                    static_cast<ssize_t>(bytes.size()));
        content = {header, file.get(), 3, bytes.size()};
        body.action = "urn:x";
        body.head = "<soap:Body xmlns:soap=\"" + std::string(soap::names::envelope) +
                    "\" xmlns:wsu=\"" + std::string(soap::names::wsu) +
                    "\" wsu:Id=\"body\"><p:content xmlns:p=\"urn:p\">";
        body.tail = "</p:content></soap:Body>";
        body.content = &content;
    }
};

struct Written {
    soap::Envelope envelope;
    soap::Document document;
    std::map<std::string, std::string> digests, transforms; // by the Reference's URI

    Written(const Request &request, soap::ContentDigest how) {
        const auto key = make_key("P-256");
        envelope = std::get<soap::Envelope>(
            soap::write_envelope(request.body, "https://x/", *key, false, {}, how));
        auto parsed = soap::parse_document(envelope.text);
        document = std::get<soap::Document>(std::move(parsed));
        const xmlNode *root = xmlDocGetRootElement(document.get());
        const xmlNode *security = soap::only(soap::only(root, soap::names::envelope, "Header"),
                                             soap::names::wsse, "Security");
        const xmlNode *info = soap::only(soap::only(security, soap::names::xmldsig, "Signature"),
                                         soap::names::xmldsig, "SignedInfo");
        for (const xmlNode *reference : soap::elements(info, soap::names::xmldsig, "Reference")) {
            const std::string uri = soap::attribute(reference, "URI").value();
            const xmlNode *value = soap::only(reference, soap::names::xmldsig, "DigestValue");
            digests[uri] = from_base64(soap::text_of(value)).value();
            const xmlNode *all = soap::only(reference, soap::names::xmldsig, "Transforms");
            transforms[uri] =
                soap::attribute(soap::only(all, soap::names::xmldsig, "Transform"), "Algorithm")
                    .value();
        }
    }
    [[nodiscard]] std::string canonical_body() const {
        xmlNode *root = xmlDocGetRootElement(document.get());
        return soap::canonical(soap::only(root, soap::names::envelope, "Body"));
    }
};

std::string digest(const std::string &text) {
    return std::string(view(sha256(text)));
}

std::string text_of_size(std::size_t size) {
    std::string text;
    while (text.size() < size)
        text += "Gr\xc3\xbc\xc3\x9f"
                "e &<> " +
                std::to_string(text.size()) + "\r\n";
    text.resize(size);
    return text;
}

constexpr std::size_t sizes[] = {0, 1, 2, 3, 49'151, 49'152, 49'153, 200'000};

} // namespace

static void infoset_covers_base64_in_place_of_the_include() {
    for (const std::size_t size : sizes) {
        const Request request(text_of_size(size));
        const Written written(request, soap::ContentDigest::infoset);
        std::string body = written.canonical_body();
        const std::size_t from = body.find("<xop:Include");
        const std::size_t to = body.find("</xop:Include>") + 14;
        body.replace(from, to - from, base64(header + request.bytes));
        CHECK(written.digests.at("#body") == digest(body));
        CHECK_EQUAL(written.digests.size(), 5U);
    }
}

static void xop_include_covers_the_include_as_it_stands() {
    const Request request("text"), other("other text");
    const Written written(request, soap::ContentDigest::xop_include);
    CHECK(written.canonical_body().find("href=\"cid:" + written.envelope.content_id) !=
          std::string::npos);
    CHECK(written.digests.at("#body") == digest(written.canonical_body()));
    CHECK_EQUAL(written.digests.size(), 5U);
}

static void swa_covers_the_parts_bytes_by_a_reference_of_their_own() {
    for (const std::size_t size : sizes) {
        const Request request(text_of_size(size));
        const Written written(request, soap::ContentDigest::swa);
        CHECK(written.digests.at("#body") == digest(written.canonical_body()));
        const std::string uri = "cid:" + written.envelope.content_id;
        CHECK(written.digests.at(uri) == digest(header + request.bytes));
        CHECK_EQUAL(written.transforms.at(uri),
                    "http://docs.oasis-open.org/wss/oasis-wss-SwAProfile-1.1#"
                    "Attachment-Content-Signature-Transform");
        CHECK_EQUAL(written.digests.size(), 6U);
    }
}

static void without_content_all_ways_are_one() {
    const soap::SignedBody body{"<a>", "<never/>", "</a>", nullptr};
    for (const char *name : {"infoset", "xop-include", "swa"}) {
        const auto made = soap::digests_of(body, soap::content_digest_named(name).value());
        CHECK(made.body == digest("<a></a>"));
        CHECK(!made.attachment);
    }
    CHECK(!soap::content_digest_named("SwA"));
}

static void content_that_is_shorter_than_it_was_is_an_error() {
    Request request("text");
    request.content.body_length = 5;
    const soap::SignedBody body{"", "", "", &request.content};
    CHECK_THROWS(soap::digests_of(body, soap::ContentDigest::infoset), std::runtime_error);
    CHECK_THROWS(soap::digests_of(body, soap::ContentDigest::swa), std::runtime_error);
}

int main() {
    return run("soap content digest", {TEST(infoset_covers_base64_in_place_of_the_include),
                                       TEST(xop_include_covers_the_include_as_it_stands),
                                       TEST(swa_covers_the_parts_bytes_by_a_reference_of_their_own),
                                       TEST(without_content_all_ways_are_one),
                                       TEST(content_that_is_shorter_than_it_was_is_an_error)});
}
