// [[account]] with its senders and mailboxes, and the checks that several tables share. Inside
// admin only.
#pragma once

#include "admin/configuration.hpp"
#include "daemon/toml_section.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace demail {

/// Letters, digits, ".", "_" and "-", at most 64: names stand in the seal, the journal and the log.
[[nodiscard]] std::optional<Located> read_name(Section &section, std::string_view key);
/// A PKCS#11 URI (RFC 7512); "" where the key is missing or faulty.
[[nodiscard]] std::string read_key_uri(Section &section, std::string_view key);

/// Option names; a fault for each that is none.
[[nodiscard]] OptionSet read_options(Section &section, std::string_view key);

/// Days that evidence is kept: more than a seal lives, so that no retry meets what has gone.
[[nodiscard]] std::optional<std::chrono::days>
read_retention(Section &section, std::string_view key, const Configuration &configuration);

/// Reads one [[account]] into `configuration`; its sender rules are appended to `rules`.
void read_account(FaultList &faults, const toml::table &table, Configuration &configuration,
                  std::vector<SenderRule> &rules);

} // namespace demail
