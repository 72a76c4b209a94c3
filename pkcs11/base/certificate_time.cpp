#include "base/certificate_time.hpp"

namespace demail {

std::string date_text(std::time_t time) {
    std::tm parts{};
    char text[32];
    if (time == 0 || ::gmtime_r(&time, &parts) == nullptr) return "";
    return {text, std::strftime(text, sizeof text, "%Y-%m-%d", &parts)};
}

std::time_t time_of(const ASN1_TIME *time) {
    std::tm parts{};
    return ASN1_TIME_to_tm(time, &parts) == 1 ? ::timegm(&parts) : 0;
}

} // namespace demail
