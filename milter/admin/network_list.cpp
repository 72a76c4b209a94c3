#include "admin/network_list.hpp"

#include <fmt/format.h>

#include <utility>

namespace demail {

std::vector<LocatedNetwork> read_networks(Section &section, std::string_view key) {
    std::vector<LocatedNetwork> networks;
    for (Located &text : section.texts(key).value_or(std::vector<Located>{})) {
        if (const auto network = Network::parse(text.text))
            networks.push_back({*network, std::move(text)});
        else
            section.fault(text.at, fmt::format("{} in {} must hold networks such as 10.0.0.0/8 or "
                                               "2001:db8::/32, without host bits.",
                                               key, section.title()));
    }
    return networks;
}

} // namespace demail
