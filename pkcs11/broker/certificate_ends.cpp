#include "broker/certificate_ends.hpp"

#include "base/certificate_time.hpp"
#include "base/handle.hpp"

#include <openssl/x509.h>

#include <algorithm>
#include <iterator>

namespace demail::broker {
namespace {

constexpr long day = 24L * 60 * 60;
/// Days before the end, in the order in which they come.
constexpr long stages[] = {60, 30, 7};

/// How many of the stages are past, and one more after the end.
int stage_of(std::time_t end, std::time_t now) {
    const auto passed = std::count_if(std::begin(stages), std::end(stages),
                                      [&](long days) { return end - now <= days * day; });
    return static_cast<int>(passed) + (end <= now ? 1 : 0);
}

std::optional<std::time_t> end_of(const std::string &der) {
    const auto *bytes = reinterpret_cast<const unsigned char *>(der.data());
    const Handle<X509, X509_free> certificate(
        d2i_X509(nullptr, &bytes, static_cast<long>(der.size())));
    if (!certificate) return std::nullopt;
    return time_of(X509_get0_notAfter(certificate.get()));
}

} // namespace

long days_between(std::time_t now, std::time_t end) noexcept {
    return end >= now ? (end - now) / day : -((now - end + day - 1) / day);
}

std::optional<std::time_t> end_of_key(const std::string &id,
                                      const std::vector<wire::Certificate> &certificates) {
    std::optional<std::time_t> last;
    for (const wire::Certificate &certificate : certificates)
        if (certificate.id == id) last = std::max(last, end_of(certificate.der));
    return last;
}

std::vector<KeyEnd> EndWarnings::due(const std::string &serial, std::vector<KeyEnd> ends,
                                     std::time_t now) {
    std::erase_if(ends, [&](const KeyEnd &one) {
        auto &[end, stage] = said_[{serial, one.label}];
        if (end != one.end) stage = 0;
        end = one.end;
        const int before = std::exchange(stage, std::max(stage, stage_of(one.end, now)));
        return stage == before;
    });
    return ends;
}

} // namespace demail::broker
