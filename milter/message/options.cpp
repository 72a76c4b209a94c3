#include "message/options.hpp"

namespace demail {

namespace {

constexpr std::array<std::string_view, all_options.size()> names{
    "confirmation-of-dispatch", "confirmation-of-receipt", "confirmation-of-retrieve",
    "authoritative", "private"};

} // namespace

std::string_view name(Option option) noexcept {
    return names[static_cast<std::size_t>(option)];
}

std::optional<Option> option_named(std::string_view name) noexcept {
    for (const Option option : all_options)
        if (demail::name(option) == name) return option;
    return std::nullopt;
}

std::string OptionSet::str() const {
    std::string text;
    for (const Option option : all_options) {
        if (!has(option)) continue;
        if (!text.empty()) text += ',';
        text += name(option);
    }
    return text;
}

std::optional<OptionSet> OptionSet::parse(std::string_view text) {
    OptionSet set;
    for (std::string_view rest = text; !rest.empty();) {
        const std::size_t comma = rest.find(',');
        const auto option = option_named(rest.substr(0, comma));
        if (!option) return std::nullopt;
        set.set(*option);
        rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    }
    // One set has one text: this refuses another order, an option twice and a comma at the end.
    if (set.str() != text) return std::nullopt;
    return set;
}

} // namespace demail
