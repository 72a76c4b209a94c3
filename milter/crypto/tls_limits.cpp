#include "crypto/tls_limits.hpp"

#include "base/handle.hpp"
#include "base/log.hpp"

#include <fmt/format.h>
#include <openssl/err.h>

#include <algorithm>
#include <stdexcept>

namespace demail::crypto {
namespace {

using Context = Handle<SSL_CTX, SSL_CTX_free>;

// One to be thrown away.
Context scratch() {
    Context context(SSL_CTX_new(TLS_client_method()));
    if (!context) throw std::runtime_error("OpenSSL gives no context for TLS");
    return context;
}

std::vector<std::string> words(const std::string &list, std::string_view separators) {
    std::vector<std::string> all;
    for (std::size_t at = 0; at <= list.size();) {
        const std::size_t end = std::min(list.find_first_of(separators, at), list.size());
        if (end > at) all.push_back(list.substr(at, end - at));
        at = end + 1;
    }
    return all;
}

std::string joined(const std::vector<std::string> &names) {
    return fmt::format("{}", fmt::join(names, ":"));
}

bool takes_ciphers(const std::string &list) {
    const Context context = scratch();
    const bool taken = SSL_CTX_set_cipher_list(context.get(), list.c_str()) == 1;
    ERR_clear_error();
    return taken;
}

// A name that OpenSSL does not know is not always an error of its own: what counts is whether the
// suite is there afterwards.
bool takes_ciphersuite(const std::string &name) {
    const Context context = scratch();
    const bool taken = SSL_CTX_set_ciphersuites(context.get(), name.c_str()) == 1;
    ERR_clear_error();
    STACK_OF(SSL_CIPHER) *all = SSL_CTX_get_ciphers(context.get()); // the context's own
    for (int i = 0; taken && i < sk_SSL_CIPHER_num(all); ++i)
        if (name == SSL_CIPHER_get_name(sk_SSL_CIPHER_value(all, i))) return true;
    return false;
}

} // namespace

std::optional<int> tls_version(std::string_view text) {
    if (text == "1.2") return TLS1_2_VERSION;
    if (text == "1.3") return TLS1_3_VERSION;
    return std::nullopt;
}

std::optional<std::string> fault_of_ciphers(const std::string &list) {
    // OpenSSL passes over a name that it does not know as long as another one is left.
    for (const std::string &word : words(list, ":, ;"))
        if (std::string_view("!-+@").find(word.front()) == std::string_view::npos &&
            !takes_ciphers(word))
            return fmt::format("names no cipher of TLS 1.2 by \"{}\"", log::escaped(word));
    const Context context = scratch();
    const bool taken = SSL_CTX_set_cipher_list(context.get(), list.c_str()) == 1;
    ERR_clear_error();
    if (!taken) return "leaves no cipher of TLS 1.2";
    STACK_OF(SSL_CIPHER) *all = SSL_CTX_get_ciphers(context.get()); // the context's own
    for (int i = 0; i < sk_SSL_CIPHER_num(all); ++i) {
        const SSL_CIPHER *cipher = sk_SSL_CIPHER_value(all, i);
        if (SSL_CIPHER_get_cipher_nid(cipher) == NID_undef ||
            SSL_CIPHER_get_auth_nid(cipher) == NID_auth_null)
            return fmt::format("lets in \"{}\", which does not encrypt or proves no server",
                               SSL_CIPHER_get_name(cipher));
    }
    return std::nullopt;
}

std::optional<std::string> fault_of_ciphersuites(const std::string &list) {
    const auto names = words(list, ":");
    if (names.empty()) return "names no cipher suite of TLS 1.3";
    for (const std::string &name : names)
        if (!takes_ciphersuite(name))
            return fmt::format("names no cipher suite of TLS 1.3 by \"{}\"", log::escaped(name));
    return std::nullopt;
}

std::optional<std::string> fault_of_group(const std::string &name) {
    const Context context = scratch();
    const bool taken = name.find(':') == std::string::npos &&
                       SSL_CTX_set1_groups_list(context.get(), name.c_str()) == 1;
    ERR_clear_error();
    if (taken) return std::nullopt;
    return fmt::format("names no group of TLS by \"{}\"", log::escaped(name));
}

std::optional<std::string> fault_of_signature_algorithm(const std::string &name) {
    const Context context = scratch();
    const bool taken = name.find(':') == std::string::npos &&
                       SSL_CTX_set1_sigalgs_list(context.get(), name.c_str()) == 1;
    ERR_clear_error();
    if (taken) return std::nullopt;
    return fmt::format("names no signature algorithm of TLS by \"{}\"", log::escaped(name));
}

bool set_limits(SSL_CTX *context, const TlsLimits &limits) {
    return SSL_CTX_set_min_proto_version(context, limits.minimum) == 1 &&
           SSL_CTX_set_max_proto_version(context, limits.maximum) == 1 &&
           (limits.ciphers.empty() ||
            SSL_CTX_set_cipher_list(context, limits.ciphers.c_str()) == 1) &&
           (limits.ciphersuites.empty() ||
            SSL_CTX_set_ciphersuites(context, limits.ciphersuites.c_str()) == 1) &&
           (limits.groups.empty() ||
            SSL_CTX_set1_groups_list(context, joined(limits.groups).c_str()) == 1) &&
           (limits.signature_algorithms.empty() ||
            SSL_CTX_set1_sigalgs_list(context, joined(limits.signature_algorithms).c_str()) == 1);
}

} // namespace demail::crypto
