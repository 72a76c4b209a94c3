#include "filter/options_asked.hpp"

#include "base/edit_distance.hpp"
#include "filter/subject_flags.hpp"
#include "message/ascii.hpp"
#include "message/preconditions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

namespace demail::filter {
namespace {

constexpr std::string_view prefix = "x-de-mail-";

/// Fields that are no options however near they come to one (TR-01201 3.4 3.1), letters only: what
/// a provider writes, and the sender's private-id.
constexpr std::array<std::string_view, 14> no_options{
    "authlevel", "authmechanism",   "originatorprovider", "accountholder",
    "version",   "messagetype",     "notificationtype",   "messageid",
    "integrity", "actualrecipient", "chosenrecipient",    "signaturecertificate",
    "privateid", "privatid"};

/// The name as the firewall reads it: letters and digits, without case.
std::string letters(std::string_view name) {
    std::string out;
    for (const char c : name)
        if (ascii::letter_or_digit(c)) out += ascii::lower(c);
    return out;
}

std::string option_list() {
    std::string list;
    for (const Option option : all_options) {
        if (!list.empty()) list += ", ";
        list += name(option);
    }
    return list;
}

} // namespace

bool misspelt_option(std::string_view field_name) {
    constexpr std::string_view marker = "xdemail";
    if (!reads_as_demail(field_name) || sender_may_set(field_name)) return false;
    const std::string all = letters(field_name);
    if (!std::string_view(all).starts_with(marker)) return false;
    const std::string_view rest = std::string_view(all).substr(marker.size());
    constexpr std::size_t longest = 64;
    if (rest.size() > longest ||
        std::find(no_options.begin(), no_options.end(), rest) != no_options.end())
        return false;
    return std::any_of(all_options.begin(), all_options.end(), [&](Option option) {
        return edit_distance(rest, letters(name(option))) <= tolerated_distance;
    });
}

std::variant<OptionSet, Objection> options_asked(const HeaderFields &fields,
                                                 const SubjectFlags &flags, const SenderRule &rule,
                                                 const Address &sender) {
    OptionSet options = rule.defaults;
    for (const Option option : all_options) {
        const HeaderField *field = topmost(fields, std::string(prefix).append(name(option)));
        if (field == nullptr) continue;
        const std::string value = field->unfolded();
        if (value == "no") {
            options.set(option, false);
        } else if (value != "yes") {
            return Objection{fmt::format("The field {}{} must be yes or no, in lower case letters.",
                                         prefix, name(option))};
        } else if (!rule.allow.has(option) && !rule.defaults.has(option)) {
            return Objection{fmt::format("This sender may not use the De-Mail option {}; remove "
                                         "the field {}{}.",
                                         name(option), prefix, name(option))};
        } else {
            options.set(option);
        }
    }
    for (const HeaderField &field : fields) {
        if (!misspelt_option(field.name)) continue;
        constexpr std::size_t shown = 60;
        return Objection{fmt::format("The field {} is no De-Mail option; the options are {}, each "
                                     "as {}NAME.",
                                     field.name.substr(0, shown), option_list(), prefix)};
    }
    for (const Option option : all_options) {
        const std::string_view flag = flags.flags[static_cast<std::size_t>(option)];
        if (flag.empty()) continue;
        if (!rule.allow.has(option) && !rule.defaults.has(option))
            return Objection{fmt::format("This sender may not use the De-Mail option {}; take {} "
                                         "out of the subject.",
                                         name(option), flag)};
        options.set(option);
    }
    if (auto fault = combination_fault(options, sender)) return Objection{*std::move(fault)};
    return options;
}

} // namespace demail::filter
