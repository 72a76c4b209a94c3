#include "soap/envelope.hpp"

#include "base/digest.hpp"
#include "soap/names.hpp"
#include "soap/signature.hpp"
#include "soap/xml_text.hpp"

#include <fmt/format.h>

#include <array>
#include <stdexcept>
#include <vector>

namespace demail::soap {

namespace {

// Every signed element declares its own namespaces, so that it is its own exclusive C14N.
std::string addressing_element(std::string_view name, std::string_view id, std::string_view value) {
    const auto text = canonical_text(value);
    if (!text) throw std::runtime_error("the endpoint's URL holds a character that XML has not");
    return fmt::format(R"(<wsa:{0} xmlns:wsa="{1}" xmlns:wsu="{2}" wsu:Id="{3}">{4}</wsa:{0}>)",
                       name, names::addressing, names::wsu, id, *text);
}

std::string timestamp_element(Instant now) {
    return fmt::format(
        R"(<wsu:Timestamp xmlns:wsu="{}" wsu:Id="timestamp"><wsu:Created>{}</wsu:Created>)"
        R"(<wsu:Expires>{}</wsu:Expires></wsu:Timestamp>)",
        names::wsu, write_instant(now), write_instant(now + std::chrono::minutes(5)));
}

std::string token_element(X509 *certificate) {
    unsigned char *der = nullptr;
    const int length = i2d_X509(certificate, &der);
    if (length <= 0) throw std::runtime_error("the signing certificate cannot be written as DER");
    const std::string text =
        base64({reinterpret_cast<const char *>(der), static_cast<std::size_t>(length)});
    OPENSSL_free(der);
    return fmt::format(
        R"(<wsse:BinarySecurityToken xmlns:wsu="{}" EncodingType="{}" ValueType="{}" )"
        R"(wsu:Id="token">{}</wsse:BinarySecurityToken>)",
        names::wsu, names::base64_binary, names::x509v3, text);
}

std::string digest_of(std::string_view canonical) {
    return std::string(view(sha256(canonical)));
}

} // namespace

std::string random_name() {
    std::array<unsigned char, 16> bytes{};
    random_bytes(bytes.data(), bytes.size());
    return hex(view(bytes));
}

std::variant<Envelope, TokenFault> write_envelope(const RequestBody &body, const std::string &to,
                                                  const crypto::TokenKey &key, bool rsa_pss,
                                                  Instant now, ContentDigest how) {
    Envelope envelope;
    std::string uuid = random_name(); // RFC 4122 4.4: version 4
    uuid[12] = '4';
    uuid[16] = "89ab"[static_cast<unsigned char>(uuid[16]) % 4];
    for (const std::size_t at : {8U, 13U, 18U, 23U})
        uuid.insert(at, 1, '-');
    envelope.message_id = "urn:uuid:" + uuid;

    std::string include;
    if (body.content != nullptr) {
        envelope.content_id = "content." + uuid + "@demail-gateway";
        include = fmt::format(R"(<xop:Include xmlns:xop="{}" href="cid:{}"></xop:Include>)",
                              names::xop, envelope.content_id);
    }
    const auto digests = digests_of({body.head, include, body.tail, body.content}, how);

    const std::string action = addressing_element("Action", "action", body.action);
    const std::string message_id =
        addressing_element("MessageID", "message-id", envelope.message_id);
    const std::string recipient = addressing_element("To", "to", to);
    const std::string timestamp = timestamp_element(now);
    std::vector<SignedPart> parts{{"body", digests.body},
                                  {"timestamp", digest_of(timestamp)},
                                  {"to", digest_of(recipient)},
                                  {"action", digest_of(action)},
                                  {"message-id", digest_of(message_id)}};
    if (digests.attachment) parts.push_back({envelope.content_id, *digests.attachment, true});
    const auto signature = write_signature(parts, "token", key, rsa_pss);
    if (const auto *fault = std::get_if<TokenFault>(&signature)) return *fault;

    envelope.text = fmt::format(
        R"(<soap:Envelope xmlns:soap="{}"><soap:Header>{}{}{})"
        R"(<wsse:Security xmlns:wsse="{}" soap:mustUnderstand="true">{}{}{}</wsse:Security>)"
        R"(</soap:Header>{}{}{}</soap:Envelope>)",
        names::envelope, action, message_id, recipient, names::wsse,
        token_element(key.certificate()), timestamp, std::get<std::string>(signature), body.head,
        include, body.tail);
    return envelope;
}

} // namespace demail::soap
