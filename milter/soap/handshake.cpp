#include "soap/handshake.hpp"

#include "base/certificate_time.hpp"
#include "base/handle.hpp"
#include "base/log.hpp"
#include "crypto/certificate_choice.hpp"
#include "soap/tls_names.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace demail::soap {

namespace {

// The DNS names of a certificate, the first few, else its subject.
std::string names_of(X509 *certificate) {
    const Handle<GENERAL_NAMES, GENERAL_NAMES_free> all(static_cast<GENERAL_NAMES *>(
        X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
    std::string text;
    for (int i = 0, shown = 0; all && i < sk_GENERAL_NAME_num(all.get()) && shown < 8; ++i) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(all.get(), i);
        if (name->type != GEN_DNS) continue;
        const auto length = static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName));
        const auto *octets = reinterpret_cast<const char *>(ASN1_STRING_get0_data(name->d.dNSName));
        text +=
            (shown++ > 0 ? ", " : "") + log::escaped({octets, std::min<std::size_t>(length, 253)});
    }
    return text.empty() ? crypto::name_text(X509_get_subject_name(certificate)) : text;
}

std::string group_of(SSL *ssl) {
    // Of TLS 1.3, and of 1.2 where a session keeps it; else the server's key tells.
    if (const int id = static_cast<int>(SSL_get_negotiated_group(ssl)); id != 0)
        if (const char *name = SSL_group_to_name(ssl, id)) return name;
    EVP_PKEY *peer = nullptr;
    if (SSL_get_peer_tmp_key(ssl, &peer) != 1) return "";
    const Handle<EVP_PKEY, EVP_PKEY_free> key(peer);
    std::array<char, 80> name{};
    std::size_t size = 0;
    if (EVP_PKEY_get_group_name(key.get(), name.data(), name.size(), &size) == 1)
        return {name.data(), size};
    const char *kind = EVP_PKEY_get0_type_name(key.get());
    return kind != nullptr ? kind : "";
}

std::string signature_name(int kind, int digest) {
    const char *digest_name = digest == NID_undef ? nullptr : OBJ_nid2sn(digest);
    return fmt::format("{}{}{}",
                       kind == EVP_PKEY_RSA_PSS ? "RSA-PSS"
                       : kind == EVP_PKEY_RSA   ? "RSA"
                       : kind == EVP_PKEY_EC    ? "ECDSA"
                                                : OBJ_nid2sn(kind),
                       digest_name != nullptr ? "+" : "",
                       digest_name != nullptr ? digest_name : "");
}

} // namespace

void Handshake::watch(SSL_CTX *context) {
    SSL_CTX_set_app_data(context, this);
    SSL_CTX_set_info_callback(context, on_state);
    SSL_CTX_set_msg_callback(context, on_message);
    SSL_CTX_set_msg_callback_arg(context, this);
    SSL_CTX_set_verify(context, SSL_CTX_get_verify_mode(context), on_certificate);
}

void Handshake::forget() {
    notes_ = Notes{};
}

// No exception may pass through OpenSSL; a note that finds no memory is not taken.
void Handshake::on_state(const SSL *ssl, int where, int value) noexcept {
    auto *self = static_cast<Handshake *>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
    try {
        if (self != nullptr) self->note_state(ssl, where, value);
    } catch (const std::exception &) {
    }
}

void Handshake::on_message(int sent, int, int type, const void *bytes, std::size_t size, SSL *ssl,
                           void *self) noexcept {
    if (type != SSL3_RT_HANDSHAKE || size < 4) return;
    try {
        static_cast<Handshake *>(self)->note_message(
            ssl, sent != 0, static_cast<const unsigned char *>(bytes), size);
    } catch (const std::exception &) {
    }
}

int Handshake::on_certificate(int good, X509_STORE_CTX *store) noexcept {
    if (good == 1) return good;
    const auto *ssl = static_cast<const SSL *>(
        X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
    auto *self = ssl != nullptr
                     ? static_cast<Handshake *>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)))
                     : nullptr;
    try {
        if (self != nullptr) self->note_certificate(store);
    } catch (const std::exception &) {
    }
    return good;
}

void Handshake::note_state(const SSL *ssl, int where, int value) {
    if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT) {
        if ((value & 0xFF) != SSL_AD_CLOSE_NOTIFY) notes_.alert = value & 0xFF;
    } else if (where == SSL_CB_HANDSHAKE_START && !notes_.finished) {
        notes_.began = true;
    } else if (where == SSL_CB_HANDSHAKE_DONE) {
        note_parameters(const_cast<SSL *>(ssl)); // SSL_ctrl() takes no other
        note_finish(ssl);
    } else if (where == SSL_CB_CONNECT_EXIT && value <= 0 && notes_.error == 0) {
        notes_.error = ERR_peek_error(); // libcurl will take it off the queue
        if (notes_.error != 0) note_parameters(const_cast<SSL *>(ssl));
    }
}

void Handshake::note_message(SSL *ssl, bool sent, const unsigned char *bytes, std::size_t size) {
    switch (bytes[0]) {
    case SSL3_MT_CLIENT_HELLO: // the second one too, after a HelloRetryRequest
        if (sent) notes_.offer = offer_of(ssl, {reinterpret_cast<const char *>(bytes), size});
        return;
    case SSL3_MT_SERVER_HELLO:
        notes_.answered = true;
        return; // not read yet
    case SSL3_MT_CERTIFICATE_REQUEST:
        notes_.asked_for_certificate = true;
        break;
    case SSL3_MT_CERTIFICATE:
        if (!sent) break;
        notes_.sent_certificate = true;
        notes_.had_no_certificate = size <= 8; // header, context of TLS 1.3, no entry
        notes_.wanted.clear();
        for (int at = 0,
                 count = SSL_get_sigalgs(ssl, 0, nullptr, nullptr, nullptr, nullptr, nullptr);
             at < count && at < 16; ++at) {
            unsigned char signature = 0, hash = 0;
            SSL_get_sigalgs(ssl, at, nullptr, nullptr, nullptr, &signature, &hash);
            notes_.wanted +=
                (at > 0 ? " " : "") + algorithm_name(static_cast<unsigned>(hash) << 8 | signature);
        }
        break;
    default:
        break;
    }
    note_parameters(ssl);
}

// Again and again: nothing can be asked any more once libcurl has given up.
void Handshake::note_parameters(SSL *ssl) {
    if (!notes_.answered) return;
    if (SSL_version(ssl) != 0) notes_.version = version_name(SSL_version(ssl));
    const SSL_CIPHER *cipher = SSL_get_pending_cipher(ssl);
    if (cipher == nullptr) cipher = SSL_get_current_cipher(ssl);
    if (cipher != nullptr) notes_.cipher = SSL_CIPHER_get_name(cipher);
    if (std::string group = group_of(ssl); !group.empty()) notes_.group = std::move(group);
    int kind = 0, digest = 0;
    if (SSL_get_peer_signature_type_nid(ssl, &kind) == 1) {
        if (SSL_get_peer_signature_nid(ssl, &digest) != 1) digest = NID_undef;
        notes_.peer_algorithm = signature_name(kind, digest);
    }
    digest = NID_undef;
    if (SSL_get_signature_type_nid(ssl, &kind) == 1) {
        if (SSL_get_signature_nid(ssl, &digest) != 1) digest = NID_undef;
        notes_.own_algorithm = signature_name(kind, digest);
    }
}

void Handshake::note_certificate(X509_STORE_CTX *store) {
    if (notes_.verify_error != X509_V_OK) return; // the first one counts
    notes_.verify_error = X509_STORE_CTX_get_error(store);
    notes_.verify_depth = X509_STORE_CTX_get_error_depth(store);
    X509 *certificate = X509_STORE_CTX_get_current_cert(store);
    if (certificate == nullptr) return;
    notes_.subject = crypto::name_text(X509_get_subject_name(certificate));
    notes_.issuer = crypto::name_text(X509_get_issuer_name(certificate));
    notes_.from = date_text(time_of(X509_get0_notBefore(certificate)));
    notes_.until = date_text(time_of(X509_get0_notAfter(certificate)));
}

void Handshake::note_finish(const SSL *ssl) {
    const bool first = !notes_.finished; // TLS 1.3 tells of each session ticket that way
    notes_.finished = true;
    if (!first) return;
    if (X509 *peer = SSL_get0_peer_certificate(ssl); peer != nullptr) {
        notes_.peer_subject = crypto::name_text(X509_get_subject_name(peer));
        notes_.peer_names = names_of(peer);
    }
    if (SSL_session_reused(ssl) != 1) notes_.agreed = parameters();
}

std::string Handshake::parameters() const {
    std::string text = notes_.version;
    const auto add = [&](std::string_view what, const std::string &value) {
        if (!value.empty()) text += fmt::format(", {}{}", what, value);
    };
    add("", notes_.cipher);
    add("group ", notes_.group);
    add("the provider signed by ", notes_.peer_algorithm);
    add("we signed by ", notes_.own_algorithm);
    return text;
}

std::string Handshake::refused_here(const Side &side) const {
    const std::string_view whose =
        notes_.verify_depth == 0 ? "the provider's certificate" : "a CA of the provider's";
    switch (notes_.verify_error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return fmt::format("{} has expired on {} (subject {})", whose, notes_.until,
                           notes_.subject);
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return fmt::format("{} is valid from {} only (subject {})", whose, notes_.from,
                           notes_.subject);
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        return fmt::format("{} is not signed by a CA in {} (subject {}, issuer {})", whose,
                           side.ca_file, notes_.subject, notes_.issuer);
    default:
        return fmt::format("{} is refused: {} (subject {}, issuer {})", whose,
                           X509_verify_cert_error_string(notes_.verify_error), notes_.subject,
                           notes_.issuer);
    }
}

std::string Handshake::refused_there(const Side &side) const {
    const std::string alert = alert_name(notes_.alert);
    if (!notes_.answered) {
        if (notes_.alert == SSL_AD_PROTOCOL_VERSION)
            return fmt::format("it takes none of our versions (alert {}): we offered {}", alert,
                               notes_.offer);
        if (notes_.alert == SSL_AD_UNRECOGNIZED_NAME)
            return fmt::format("it does not know the name {} (alert {})", side.host, alert);
        return fmt::format("it has no cipher, group or signature algorithm in common with us "
                           "(alert {}): we offered {}",
                           alert, notes_.offer);
    }
    if (notes_.sent_certificate && notes_.had_no_certificate)
        return fmt::format("it wants a certificate, and our key cannot sign as it asks (alert {}): "
                           "it takes {}",
                           alert, notes_.wanted);
    if (refuses_certificate(notes_.alert) || notes_.sent_certificate) {
        std::string text = fmt::format("it refused our {} (alert {}",
                                       refuses_certificate(notes_.alert)
                                           ? "certificate"
                                           : "certificate, our signature or Finished",
                                       alert);
        if (side.certificate != nullptr)
            text += fmt::format("; subject {}, issuer {}, expires {}",
                                crypto::name_text(X509_get_subject_name(side.certificate)),
                                crypto::name_text(X509_get_issuer_name(side.certificate)),
                                date_text(time_of(X509_get0_notAfter(side.certificate))));
        if (!notes_.own_algorithm.empty())
            text += fmt::format("; we signed by {}", notes_.own_algorithm);
        return text + ")";
    }
    return fmt::format("it broke off (alert {}; {})", alert, parameters());
}

std::string Handshake::failed_here() const {
    const char *reason = ERR_reason_error_string(notes_.error);
    switch (ERR_GET_LIB(notes_.error) == ERR_LIB_SSL ? ERR_GET_REASON(notes_.error) : 0) {
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_WRONG_SSL_VERSION:
    case SSL_R_VERSION_TOO_LOW:
        return fmt::format("the provider chose a version that is not allowed: we offered {}",
                           notes_.offer);
    case SSL_R_WRONG_CIPHER_RETURNED:
    case SSL_R_UNKNOWN_CIPHER_RETURNED:
        return fmt::format("the provider chose a cipher that we did not offer: we offered {}",
                           notes_.offer);
    case SSL_R_WRONG_CURVE:
    case SSL_R_BAD_KEY_SHARE:
        return fmt::format("the provider chose a group that we did not offer: we offered {}",
                           notes_.offer);
    case SSL_R_WRONG_SIGNATURE_TYPE:
        return fmt::format("the provider signed by an algorithm that we did not offer: we offered "
                           "{}",
                           notes_.offer);
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
        return fmt::format("our key cannot sign as the provider asks: it takes {}", notes_.wanted);
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
        return "what answers there does not speak TLS";
    case SSL_R_UNEXPECTED_EOF_WHILE_READING:
        return closed_there();
    default:
        return fmt::format("{}{}", reason != nullptr ? reason : "OpenSSL gave no reason",
                           notes_.answered ? " (" + parameters() + ")" : "");
    }
}

std::string Handshake::closed_there() const {
    return fmt::format("the connection was closed without an alert{}",
                       notes_.answered ? " (" + parameters() + ")"
                                       : " before a ServerHello: we offered " + notes_.offer);
}

std::optional<std::string> Handshake::failure(const Side &side, bool name_refused,
                                              bool broken_off) const {
    if (!notes_.began && !notes_.finished) return std::nullopt;
    const std::string version = notes_.version.empty() ? "TLS" : notes_.version;
    const auto sentence = [&](std::string_view where, const std::string &what) {
        return fmt::format("{} handshake with {} failed {}: {}.", version, side.provider, where,
                           what);
    };
    if (notes_.verify_error != X509_V_OK) return sentence("on our side", refused_here(side));
    if (notes_.finished && name_refused)
        return sentence("on our side",
                        fmt::format("the provider's certificate is for {}, not for {} (subject {})",
                                    notes_.peer_names, side.host, notes_.peer_subject));
    if (notes_.alert >= 0) return sentence("at the provider", refused_there(side));
    if (notes_.finished) return std::nullopt;
    if (notes_.error != 0) {
        const bool closed = ERR_GET_LIB(notes_.error) == ERR_LIB_SSL &&
                            ERR_GET_REASON(notes_.error) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
        return sentence(closed ? "at the provider" : "on our side", failed_here());
    }
    // libcurl sets SSL_OP_IGNORE_UNEXPECTED_EOF, and a reset leaves no error of OpenSSL's either.
    if (broken_off) return sentence("at the provider", closed_there());
    return std::nullopt;
}

bool refuses_certificate(int alert) noexcept {
    switch (alert) {
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_ACCESS_DENIED:
    case SSL_AD_CERTIFICATE_REQUIRED:
        return true;
    default:
        return false;
    }
}

} // namespace demail::soap
