// The namespaces and algorithm names that stand in the messages.
#pragma once

#include <string_view>

namespace demail::soap::names {

// SOAP 1.2, WS-Addressing 1.0, XOP, the reference service
inline constexpr std::string_view envelope = "http://www.w3.org/2003/05/soap-envelope";
inline constexpr std::string_view addressing = "http://www.w3.org/2005/08/addressing";
inline constexpr std::string_view xop = "http://www.w3.org/2004/08/xop/include";
inline constexpr std::string_view provider = "urn:de-mail-gateway:provider:1";

// WS-Security 1.1 (OASIS wss-v1.1), X.509 token profile, XML signature
inline constexpr std::string_view wsse =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
inline constexpr std::string_view wsu =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
inline constexpr std::string_view x509v3 =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#X509v3";
inline constexpr std::string_view base64_binary =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0"
    "#Base64Binary";
inline constexpr std::string_view xmldsig = "http://www.w3.org/2000/09/xmldsig#";
inline constexpr std::string_view exclusive_c14n = "http://www.w3.org/2001/10/xml-exc-c14n#";
inline constexpr std::string_view swa_content =
    "http://docs.oasis-open.org/wss/oasis-wss-SwAProfile-1.1#Attachment-Content-Signature-"
    "Transform";
inline constexpr std::string_view sha256 = "http://www.w3.org/2001/04/xmlenc#sha256";
inline constexpr std::string_view sha384 = "http://www.w3.org/2001/04/xmldsig-more#sha384";
inline constexpr std::string_view sha512 = "http://www.w3.org/2001/04/xmlenc#sha512";

} // namespace demail::soap::names
