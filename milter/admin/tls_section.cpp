#include "admin/tls_section.hpp"

#include <fmt/format.h>

namespace demail {
namespace {

using Check = std::optional<std::string> (*)(const std::string &);

void report(Section &section, const Located &value, std::string_view key, const std::string &what) {
    section.fault(value.at, fmt::format("{} in [provider.tls] {}.", key, what));
}

std::optional<Located> read_version(Section &section, std::string_view key, int &version) {
    const auto value = section.text(key);
    if (!value) return std::nullopt;
    const auto known = crypto::tls_version(value->text);
    if (!known) {
        report(section, *value, key, "must be \"1.2\" or \"1.3\"");
        return std::nullopt;
    }
    version = *known;
    return value;
}

std::string read_list(Section &section, std::string_view key, Check check) {
    const auto value = section.text(key);
    if (!value) return "";
    if (const auto what = check(value->text)) report(section, *value, key, *what);
    return value->text;
}

std::vector<std::string> read_names(Section &section, std::string_view key, Check check) {
    std::vector<std::string> names;
    for (const Located &value : section.texts(key).value_or(std::vector<Located>{})) {
        if (const auto what = check(value.text)) report(section, value, key, *what);
        names.push_back(value.text);
    }
    return names;
}

} // namespace

crypto::TlsLimits read_tls(FaultList &faults, const toml::table &table) {
    Section section(faults, table, "[provider.tls]");
    crypto::TlsLimits limits;
    (void)read_version(section, "minimum", limits.minimum);
    const auto maximum = read_version(section, "maximum", limits.maximum);
    if (maximum && limits.maximum < limits.minimum)
        report(section, *maximum, "maximum", "is less than minimum");
    limits.ciphers = read_list(section, "ciphers", crypto::fault_of_ciphers);
    limits.ciphersuites = read_list(section, "ciphersuites", crypto::fault_of_ciphersuites);
    limits.groups = read_names(section, "groups", crypto::fault_of_group);
    limits.signature_algorithms =
        read_names(section, "signature_algorithms", crypto::fault_of_signature_algorithm);
    section.finish();
    return limits;
}

} // namespace demail
