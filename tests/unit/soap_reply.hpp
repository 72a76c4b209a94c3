// Replies as a provider would sign them, put together from text so that a test can spoil any part.
#pragma once

#include "base/digest.hpp"
#include "base/instant.hpp"
#include "soap/names.hpp"
#include "soap/reply.hpp"
#include "soap/signature.hpp"
#include "software_key.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace demail::test {

inline const std::string message_id = "urn:uuid:6ba7b810-9dad-41d1-80b4-00c04fd430c8";
inline const Instant noon = *read_instant("2026-06-01T12:00:00Z");

inline std::string source_directory() {
    const char *directory = std::getenv("SRCDIR");
    return directory != nullptr ? directory : ".";
}

/// The moment that self_signed() certificates are valid at.
inline Instant now() {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(
        std::chrono::system_clock::now());
}

inline std::string fingerprint(const crypto::TokenKey &key) {
    Digest256 digest{};
    X509_digest(key.certificate(), EVP_sha256(), digest.data(), nullptr);
    return "sha256:" + hex(view(digest));
}

inline std::string base64_der(X509 *certificate) {
    unsigned char *der = nullptr;
    const int length = i2d_X509(certificate, &der);
    std::string text =
        base64({reinterpret_cast<const char *>(der), static_cast<std::size_t>(length)});
    OPENSSL_free(der);
    return text;
}

struct Reply {
    std::string payload = fmt::format(R"(<p:Account xmlns:p="{}"><p:holder>Firm</p:holder>)"
                                      "<p:authLevel>high</p:authLevel>"
                                      "<p:domain>firm.de-mail.de</p:domain>"
                                      "<p:right>private</p:right>"
                                      "<p:maxMessageBytes>1000</p:maxMessageBytes></p:Account>",
                                      soap::names::provider);
    std::string action = std::string(soap::names::provider) + "/Account";
    std::string relates_to = message_id;
    Instant created = now();
    std::chrono::seconds lifetime{300};
    std::vector<std::string_view> unsigned_parts;
    std::string signed_payload; ///< what the digest is over, where it is not the payload
    std::vector<soap::SignedPart> more_parts;
    std::string more_header;
    std::string more_security;
    bool rsa_pss = false;
    long status = 200;

    static std::string element(std::string_view name, std::string_view id, std::string_view value) {
        return fmt::format(R"(<wsa:{0} xmlns:wsa="{1}" xmlns:wsu="{2}" wsu:Id="{3}">{4}</wsa:{0}>)",
                           name, soap::names::addressing, soap::names::wsu, id, value);
    }
    [[nodiscard]] std::string timestamp() const {
        return fmt::format(
            R"(<wsu:Timestamp xmlns:wsu="{}" wsu:Id="timestamp"><wsu:Created>{}</wsu:Created>)"
            "<wsu:Expires>{}</wsu:Expires></wsu:Timestamp>",
            soap::names::wsu, write_instant(created), write_instant(created + lifetime));
    }
    [[nodiscard]] static std::string body_with(const std::string &text) {
        return fmt::format(
            R"(<soap:Body xmlns:soap="{}" xmlns:wsu="{}" wsu:Id="body">{}</soap:Body>)",
            soap::names::envelope, soap::names::wsu, text);
    }
    [[nodiscard]] std::string body() const { return body_with(payload); }

    [[nodiscard]] std::string text(const crypto::TokenKey &key) const {
        const std::string action_element = element("Action", "action", action);
        const std::string relates_to_element = element("RelatesTo", "relates-to", relates_to);
        std::vector<soap::SignedPart> parts;
        const auto sign = [&](std::string_view id, const std::string &octets) {
            for (const std::string_view left_out : unsigned_parts)
                if (left_out == id) return;
            parts.push_back({id, std::string(view(sha256(octets)))});
        };
        sign("body", body_with(signed_payload.empty() ? payload : signed_payload));
        sign("timestamp", timestamp());
        sign("action", action_element);
        sign("relates-to", relates_to_element);
        parts.insert(parts.end(), more_parts.begin(), more_parts.end());
        const auto signature = soap::write_signature(parts, "token", key, rsa_pss);
        return fmt::format(
            R"(<soap:Envelope xmlns:soap="{}"><soap:Header>{}{}{}<wsse:Security xmlns:wsse="{}" )"
            R"(soap:mustUnderstand="true"><wsse:BinarySecurityToken xmlns:wsu="{}" ValueType="{}" )"
            R"(wsu:Id="token">{}</wsse:BinarySecurityToken>{}{}{}</wsse:Security></soap:Header>)"
            R"({}</soap:Envelope>)",
            soap::names::envelope, action_element, relates_to_element, more_header,
            soap::names::wsse, soap::names::wsu, soap::names::x509v3, base64_der(key.certificate()),
            timestamp(), std::get<std::string>(signature), more_security, body());
    }

    [[nodiscard]] soap::HttpReply http(const crypto::TokenKey &key) const {
        return {status, "application/soap+xml; charset=utf-8", text(key)};
    }
};

/// Replaces the first `what`; a test must not pass because there was none.
inline std::string replaced(std::string text, std::string_view what, std::string_view with) {
    const std::size_t at = text.find(what);
    if (at == std::string::npos)
        throw std::runtime_error("nothing to replace: " + std::string(what));
    return text.replace(at, what.size(), with);
}

} // namespace demail::test
