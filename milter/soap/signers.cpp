#include "soap/signers.hpp"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>
#include <stdexcept>

namespace demail::soap {

namespace {

constexpr std::string_view mark = "sha256:";

Digest256 read_fingerprint(const std::string &text) {
    const auto bytes = from_hex(std::string_view(text).substr(mark.size()));
    Digest256 digest{};
    if (!bytes || bytes->size() != digest.size())
        throw std::runtime_error(
            fmt::format("reply_signer \"{}\" is not sha256: and 64 hex digits.", text));
    std::copy(bytes->begin(), bytes->end(), digest.begin());
    return digest;
}

Handle<X509, X509_free> read_file(const std::string &path) {
    const Handle<BIO, BIO_free_all> file(BIO_new_file(path.c_str(), "r"));
    Handle<X509, X509_free> certificate(
        file ? PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr) : nullptr);
    ERR_clear_error();
    if (!certificate)
        throw std::runtime_error(
            fmt::format("The reply signer's certificate {} cannot be read.", path));
    return certificate;
}

} // namespace

Signers::Signers(const std::vector<std::string> &texts) {
    if (texts.empty())
        throw std::runtime_error("No reply_signer is given: no reply could ever count.");
    for (const std::string &text : texts) {
        if (text.starts_with(mark)) {
            pinned_.try_emplace(read_fingerprint(text));
            continue;
        }
        auto certificate = read_file(text);
        Digest256 digest{};
        if (X509_digest(certificate.get(), EVP_sha256(), digest.data(), nullptr) != 1)
            throw std::runtime_error("libcrypto cannot digest a certificate");
        pinned_.insert_or_assign(digest, std::move(certificate));
    }
}

std::variant<X509 *, std::string> Signers::find(const std::string &der) const {
    const Digest256 fingerprint = sha256(der);
    const std::lock_guard guard(mutex_);
    const auto found = pinned_.find(fingerprint);
    if (found == pinned_.end())
        return fmt::format("its signer is not the provider's (sha256:{})", hex(view(fingerprint)));
    if (!found->second) {
        const auto *in = reinterpret_cast<const unsigned char *>(der.data());
        found->second.reset(d2i_X509(nullptr, &in, static_cast<long>(der.size())));
        ERR_clear_error();
        if (!found->second) return "its signer's certificate cannot be read";
    }
    return found->second.get();
}

} // namespace demail::soap
