// A certificate out of a card's file.
#include "fuzz.hpp"
#include "tcos/certificate_file.hpp"

#include <openssl/err.h>

#include <string>

namespace demail::fuzz {
namespace {

std::string der_of(const std::variant<tcos::Certificate, tcos::NoCertificate> &found) {
    const auto *const certificate = std::get_if<tcos::Certificate>(&found);
    if (certificate == nullptr) return "";
    unsigned char *bytes = nullptr;
    const int size = i2d_X509(certificate->get(), &bytes);
    HOLDS(size > 0);
    std::string der(reinterpret_cast<char *>(bytes), static_cast<std::size_t>(size));
    OPENSSL_free(bytes);
    return der;
}

} // namespace

void card_certificate(std::string_view input) {
    const auto found = tcos::certificate_in(tcos::bytes_of(input));
    HOLDS(ERR_peek_error() == 0);
    const auto size = tcos::content_size(tcos::bytes_of(input));
    const auto *const needed = std::get_if<std::size_t>(&size);
    const std::string der = der_of(found);
    if (der.empty()) return;
    HOLDS(needed != nullptr && *needed <= input.size() && *needed <= tcos::longest_certificate);
    HOLDS(der.size() <= *needed);
    // Nothing behind its own bytes counts, and they alone suffice.
    const std::string exact(input.substr(0, *needed));
    HOLDS(der_of(tcos::certificate_in(tcos::bytes_of(exact))) == der);
    HOLDS(der_of(tcos::certificate_in(tcos::bytes_of(exact + std::string(64, '\xff')))) == der);
    HOLDS(der_of(tcos::certificate_in(tcos::bytes_of(exact.substr(0, exact.size() - 1)))).empty());
}

} // namespace demail::fuzz
