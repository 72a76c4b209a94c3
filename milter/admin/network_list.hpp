// A key of demail.toml that holds networks. Not thread-safe, as Section is not.
#pragma once

#include "daemon/toml_section.hpp"
#include "message/rights.hpp"

#include <string_view>
#include <vector>

namespace demail {

struct LocatedNetwork {
    Network network;
    Located text;
};

/// Those of `key` that are networks; a fault for each that is none. Empty where there is no `key`.
[[nodiscard]] std::vector<LocatedNetwork> read_networks(Section &section, std::string_view key);

} // namespace demail
