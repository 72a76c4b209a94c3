// demailctl cert list: what the tokens hold, which certificate is chosen, and why.
#pragma once

#include "admin/configuration.hpp"
#include "programs/ctl_token_list.hpp"
#include "programs/ctl_verdict.hpp"

#include <ctime>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <variant>
#include <vector>

namespace demail::ctl {

/// A key that the configuration names: `use` says where, "provider fp: auth_key".
struct ConfiguredKey {
    std::string use;
    crypto::KeyUri uri;
    bool signs_in = true; ///< auth_key; a sign_key's certificate may have other uses
};

/// All keys of providers and accounts; a URI that cannot be read is left out, since the check of
/// the configuration tells of it.
[[nodiscard]] std::vector<ConfiguredKey> configured_keys(const Configuration &configuration);

/// What list_tokens() said of each module.
using ListedModules = std::map<std::string, std::variant<std::vector<ListedToken>, std::string>>;

/// The stable form of `--json`. Pure.
[[nodiscard]] nlohmann::ordered_json certificates_json(const ListedModules &modules,
                                                       const std::vector<ConfiguredKey> &keys);

/// What is to be said of a configured key's certificate.
struct KeyFinding {
    Finding finding;
    std::time_t until = 0; ///< its end; 0: not told
};
/// Of all keys of the configuration; looks at the tokens, needs no PIN.
[[nodiscard]] std::vector<KeyFinding> key_findings(const Configuration &configuration);

/// Lists the tokens of all modules that the configuration names, or of the project's own; needs no
/// PIN. Exit code: 0; 1 when a key of the configuration has no usable certificate here; 2 when that
/// cannot be told, since a module or a token is not there.
[[nodiscard]] int list_certificates(const Configuration &configuration, bool json);

} // namespace demail::ctl
