#include "directory/entry_rules.hpp"

#include "base/log.hpp"
#include "message/ascii.hpp"
#include "message/utf8.hpp"

#include <algorithm>

namespace demail::directory {

namespace {

/// Throws a sentence.
struct Unusable {
    std::string sentence;
};

const std::string &only(const std::vector<std::string> &values, const char *what) {
    if (values.empty()) throw Unusable{std::string("has no ") + what};
    if (values.size() > 1)
        throw Unusable{std::string("has more than one ") + what + ", and which counts is not said"};
    const std::string &value = values.front();
    if (value.empty() || value.size() > EntryRules::longest_value)
        throw Unusable{std::string("has an empty or overlong ") + what};
    return value;
}

/// As it stands it is the address, with no route, comment, quote or blank, nor a "*".
Address read_address(const std::string &value, const char *what) {
    const bool plain = std::all_of(value.begin(), value.end(), [](char c) {
        return static_cast<unsigned char>(c) > ' ' && c != 0x7f && c != '"' && c != '*';
    });
    auto address = plain ? Address::parse(value) : std::nullopt;
    if (!address || address->literal() || address->lower() != ascii::lower(value))
        throw Unusable{std::string("has a ") + what + " that is no plain address"};
    return *std::move(address);
}

std::string read_login(const std::string &value) {
    const bool word = is_printable_utf8(value) && value.find_first_of(" *") == value.npos;
    if (!word || value == "any")
        throw Unusable{"has a login that can stand in no rule: blank, *, or the word any"};
    return value;
}

void read_options(const std::vector<std::string> &values, const char *what, OptionSet &into) {
    if (values.size() > EntryRules::most_values)
        throw Unusable{std::string("has too many ") + what};
    for (const std::string &value : values) {
        const auto option = option_named(value);
        if (!option) throw Unusable{std::string("has an option in ") + what + " that is none"};
        into.set(*option);
    }
}

AddressPattern one_address(const Address &address) {
    auto pattern = AddressPattern::parse(address.lower());
    if (!pattern || pattern->wild()) throw Unusable{"has an address that is more than one"};
    return *std::move(pattern);
}

} // namespace

std::string EntryRules::add(const Entry &entry) {
    try {
        SenderRule rule;
        rule.account = common_.account;
        rule.from = one_address(read_address(only(entry.from, "sender's address"), "sender"));
        rule.as = one_address(read_address(only(entry.as, "De-Mail address"), "De-Mail address"));
        rule.login = read_login(only(entry.login, "login"));
        rule.defaults = common_.defaults;
        rule.allow = common_.allow;
        read_options(entry.defaults, "the default options", rule.defaults);
        read_options(entry.allow, "the allowed options", rule.allow);
        const std::string line = sender_line(rule);
        if (line.starts_with('#')) throw Unusable{"has a sender's address that reads as a comment"};
        // What the daemons will read is what was meant, or nothing.
        const auto again = parse_sender_line(line, common_.account, common_.domains);
        if (const auto *fault = std::get_if<std::string>(&again))
            throw Unusable{"is no rule: " + *fault};
        if (sender_line(std::get<SenderRule>(again)) != line)
            throw Unusable{"does not read back as it was written"};
        if (!senders_.insert(rule.from.str()).second)
            throw Unusable{"has the same sender's address as another, " + rule.from.str()};
        if (!demail_senders_.insert(rule.as.str()).second)
            throw Unusable{"has the same De-Mail address as another, " + rule.as.str()};
        octets_ += line.size() + 1;
        lines_.insert(line);
    } catch (const Unusable &fault) {
        return "the entry " + log::escaped(entry.name.substr(0, 255)) + " " + fault.sentence + ".";
    }
    if (lines_.size() > SenderTable::most_rules || octets_ > SenderTable::longest_text)
        return "the directory has more entries than a file of senders can hold.";
    return "";
}

std::string EntryRules::text() const {
    std::string text;
    text.reserve(octets_);
    for (const std::string &line : lines_)
        text.append(line).append(1, '\n');
    return text;
}

} // namespace demail::directory
