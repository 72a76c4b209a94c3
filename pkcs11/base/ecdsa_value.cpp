#include "base/ecdsa_value.hpp"

#include "base/handle.hpp"

#include <openssl/ecdsa.h>
#include <openssl/err.h>

#include <stdexcept>

namespace demail {

namespace {

using Value = Handle<ECDSA_SIG, ECDSA_SIG_free>;
using Number = Handle<BIGNUM, BN_free>;

bool append(std::string &out, const BIGNUM *number, std::size_t coordinate) {
    if (BN_is_negative(number) != 0) return false;
    std::string bytes(coordinate, '\0');
    const int size = static_cast<int>(coordinate);
    if (BN_bn2binpad(number, reinterpret_cast<unsigned char *>(bytes.data()), size) != size)
        return false;
    out += bytes;
    return true;
}

} // namespace

std::optional<std::string> raw_ecdsa(std::string_view der, std::size_t coordinate) {
    const auto *in = reinterpret_cast<const unsigned char *>(der.data());
    const auto *const end = in + der.size();
    const Value value(d2i_ECDSA_SIG(nullptr, &in, static_cast<long>(der.size())));
    ERR_clear_error();
    if (!value || in != end) return std::nullopt;
    std::string raw;
    if (!append(raw, ECDSA_SIG_get0_r(value.get()), coordinate) ||
        !append(raw, ECDSA_SIG_get0_s(value.get()), coordinate))
        return std::nullopt;
    return raw;
}

std::optional<std::string> der_ecdsa(std::string_view raw) {
    if (raw.empty() || raw.size() % 2 != 0) return std::nullopt;
    const auto half = [&](std::size_t at) {
        return Number(BN_bin2bn(reinterpret_cast<const unsigned char *>(raw.data()) + at,
                                static_cast<int>(raw.size() / 2), nullptr));
    };
    Number r = half(0), s = half(raw.size() / 2);
    const Value value(ECDSA_SIG_new());
    if (!r || !s || !value || ECDSA_SIG_set0(value.get(), r.get(), s.get()) != 1)
        throw std::runtime_error("libcrypto cannot write an ECDSA signature");
    (void)r.release(); // the value's now
    (void)s.release();
    unsigned char *der = nullptr;
    const int length = i2d_ECDSA_SIG(value.get(), &der);
    if (length <= 0) throw std::runtime_error("libcrypto cannot write an ECDSA signature");
    std::string out(reinterpret_cast<const char *>(der), static_cast<std::size_t>(length));
    OPENSSL_free(der);
    return out;
}

} // namespace demail
