#include "replies.hpp"

#include "base/digest.hpp"
#include "soap/canonical.hpp"
#include "soap/document.hpp"
#include "soap/names.hpp"
#include "soap/signature.hpp"

#include <fmt/format.h>

#include <stdexcept>
#include <vector>

namespace demail::fuzz {
namespace {

#define PROVIDER "urn:de-mail-gateway:provider:1"

std::string certificate_text() {
    unsigned char *der = nullptr;
    const int length = i2d_X509(reply_signer().certificate(), &der);
    std::string text =
        base64({reinterpret_cast<const char *>(der), static_cast<std::size_t>(length)});
    OPENSSL_free(der);
    return text;
}

xmlNode *with_id(xmlNode *element, std::string_view id) {
    if (soap::attribute(element, "Id", soap::names::wsu) == id) return element;
    for (xmlNode *child : soap::elements(element))
        if (xmlNode *found = with_id(child, id)) return found;
    return nullptr;
}

// Of nothing where the element has no canonical form.
Digest256 digest_of(xmlNode *element) {
    try {
        return sha256(soap::canonical(element));
    } catch (const std::runtime_error &) {
        return sha256("");
    }
}

} // namespace

Instant asked_at() {
    return *read_instant("2026-06-01T12:00:00Z");
}

const std::array<SignedReply, 6> signed_replies{{
    {"Account",
     R"(<p:Account xmlns:p=")" PROVIDER R"("><p:holder>Firm</p:holder>)"
     "<p:authLevel>high</p:authLevel><p:domain>firm.de-mail.de</p:domain>"
     "<p:right>private</p:right><p:maxMessageBytes>1000</p:maxMessageBytes></p:Account>"},
    {"Domains", R"(<p:Domains xmlns:p=")" PROVIDER R"("><p:version>17</p:version>)"
                "<p:domain>fp-demail.de</p:domain><p:domain>hint.example</p:domain></p:Domains>"},
    {"Submitted",
     R"(<p:Submitted xmlns:p=")" PROVIDER R"("><p:privateId>g1-0</p:privateId>)"
     "<p:messageId>m@fp.example</p:messageId>"
     "<p:acceptedAt>2026-06-01T12:00:00Z</p:acceptedAt>"
     "<p:rejected><p:address>b@fp.example</p:address><p:code>unknown-recipient</p:code>"
     "<p:reason>Nobody</p:reason></p:rejected></p:Submitted>"},
    {"Submission", R"(<p:Submission xmlns:p=")" PROVIDER R"("><p:privateId>g1-0</p:privateId>)"
                   "<p:state>accepted</p:state><p:messageId>m@fp.example</p:messageId>"
                   "<p:acceptedAt>2026-06-01T12:00:00Z</p:acceptedAt></p:Submission>"},
    {"ProviderFault", R"(<p:ProviderFault xmlns:p=")" PROVIDER R"("><p:code>unavailable</p:code>)"
                      "<p:reason>Later</p:reason><p:retryAfterSeconds>60</p:retryAfterSeconds>"
                      "</p:ProviderFault>"},
    {"Recipient", R"(<p:Recipient xmlns:p=")" PROVIDER R"("><p:address>b@fp.example</p:address>)"
                  "<p:exists>true</p:exists><p:maxAuthLevel>normal</p:maxAuthLevel>"
                  "<p:accessOpening>true</p:accessOpening></p:Recipient>"},
}};

std::string unsigned_envelope(const SignedReply &reply) {
    std::string content(reply.payload);
    if (reply.name == "ProviderFault")
        content = "<s:Fault><s:Code><s:Value>s:Receiver</s:Value></s:Code><s:Reason><s:Text "
                  "xml:lang=\"en\">x</s:Text></s:Reason><s:Detail>" +
                  content + "</s:Detail></s:Fault>";
    return fmt::format(
        R"(<s:Envelope xmlns:s="{0}" xmlns:a="{1}" xmlns:wsse="{2}" xmlns:u="{3}"><s:Header>)"
        R"(<a:Action u:Id="action">{4}/{5}</a:Action>)"
        R"(<a:RelatesTo u:Id="relates-to">{6}</a:RelatesTo><wsse:Security s:mustUnderstand="true">)"
        R"(<wsse:BinarySecurityToken ValueType="{7}" u:Id="token">{8}</wsse:BinarySecurityToken>)"
        R"(<u:Timestamp u:Id="timestamp"><u:Created>2026-06-01T11:59:00Z</u:Created>)"
        R"(<u:Expires>2026-06-01T12:04:00Z</u:Expires></u:Timestamp></wsse:Security></s:Header>)"
        R"(<s:Body u:Id="body">{9}</s:Body></s:Envelope>)",
        soap::names::envelope, soap::names::addressing, soap::names::wsse, soap::names::wsu,
        soap::names::provider, reply.name, asked_id, soap::names::x509v3, certificate_text(),
        content);
}

std::string sign_envelope(std::string_view envelope) {
    std::string text(envelope);
    const auto parsed = soap::parse_document(text);
    const auto *document = std::get_if<soap::Document>(&parsed);
    const std::size_t end = text.find("</wsse:Security>");
    if (document == nullptr || end == std::string::npos) return text;
    std::vector<soap::SignedPart> parts;
    for (const std::string_view id : {"body", "timestamp", "action", "relates-to"})
        if (xmlNode *element = with_id(xmlDocGetRootElement(document->get()), id))
            parts.push_back({id, std::string(view(digest_of(element)))});
    const auto signature = soap::write_signature(parts, "token", reply_signer(), false);
    return text.insert(end, std::get<std::string>(signature));
}

} // namespace demail::fuzz
