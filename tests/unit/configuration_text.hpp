// Texts of demail.toml for tests, and what comes of them.
#pragma once

#include "admin/configuration.hpp"
#include "check.hpp"

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace demail::test {

inline constexpr std::string_view provider = R"([[provider]]
name = "fp"
profile = "reference"
endpoint = "https://gate.example:8443/demail"
ca_file = "/etc/demail/ca.pem"
reply_signer = ["/etc/demail/signer.pem"]
auth_key = "pkcs11:token=T;object=demail-auth"
)";
inline constexpr std::string_view account = R"([[account]]
name = "firm"
provider = "fp"
domains = ["firm.de-mail.de"]
)";

/// A good provider and account, then one sender rule with these lines.
inline std::string with_rule(std::string_view lines) {
    return std::string(provider) + std::string(account) + "[[account.sender]]\n" +
           std::string(lines);
}

inline Configuration good(std::string_view text) {
    auto result = parse_configuration(text, "f");
    if (const auto *faults = std::get_if<std::vector<ConfigurationFault>>(&result))
        throw Failure{faults->front().str(), __FILE__, __LINE__};
    return std::get<Configuration>(std::move(result));
}

/// All faults, one a line; "" for none.
inline std::string faults(std::string_view text) {
    auto result = parse_configuration(text, "f");
    std::string all;
    if (const auto *list = std::get_if<std::vector<ConfigurationFault>>(&result))
        for (const ConfigurationFault &one : *list)
            all += one.str() + "\n";
    return all;
}

inline bool contains(const std::string &text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

inline std::string rule_fault(std::string_view lines) {
    return faults(with_rule(lines));
}

} // namespace demail::test
