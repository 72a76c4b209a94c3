#include "message/ascii.hpp"
#include "message/sender_table.hpp"
#include "message/utf8.hpp"

#include <array>

namespace demail {

namespace {

constexpr std::string_view words_known =
    "local, automatic, login=, network=, defaults=, allow=, delegate= and delegate_as=";

/// What stands between blanks, cut off `rest`; "" at the end.
std::string_view next_word(std::string_view &rest) {
    while (!rest.empty() && ascii::blank(rest.front()))
        rest.remove_prefix(1);
    std::size_t end = 0;
    while (end < rest.size() && !ascii::blank(rest[end]))
        ++end;
    const std::string_view word = rest.substr(0, end);
    rest.remove_prefix(end);
    return word;
}

std::string quoted(std::string_view word) {
    std::string text = "\"";
    for (const char c : word.substr(0, 80))
        text += c >= ' ' && c <= '~' && c != '"' && c != '\\' ? c : '?';
    return text + '"';
}

/// A sentence where `word` is no pattern.
std::optional<std::string> read_pattern(std::string_view word, std::string_view name,
                                        AddressPattern &into) {
    // "*" stands for a whole local part; elsewhere a reader would expect what it does not do.
    const bool misplaced = word.find('*', word.starts_with("*@") ? 1 : 0) != word.npos;
    auto pattern = misplaced ? std::nullopt : AddressPattern::parse(word);
    if (!pattern)
        return std::string(name) + " " + quoted(word) +
               " must be an address such as anna@firm.example or *@firm.example.";
    into = std::move(*pattern);
    return std::nullopt;
}

std::optional<std::string> read_address(std::string_view key, std::string_view value,
                                        std::optional<Address> &into) {
    into = value.find('*') == value.npos ? Address::parse(value) : std::nullopt;
    if (into) return std::nullopt;
    return std::string(key) + " must be one address, not " + quoted(value) + ".";
}

/// Each of the words between commas; a sentence ends it.
template <typename Take>
std::optional<std::string> each_of(std::string_view list, const Take &take) {
    while (true) {
        const std::size_t comma = list.find(',');
        if (auto fault = take(list.substr(0, comma))) return fault;
        if (comma == list.npos) return std::nullopt;
        list.remove_prefix(comma + 1);
    }
}

std::optional<std::string> read_options(std::string_view key, std::string_view value,
                                        OptionSet &into) {
    return each_of(value, [&](std::string_view word) -> std::optional<std::string> {
        const auto option = option_named(word);
        if (!option) return "unknown option " + quoted(word) + " in " + std::string(key) + ".";
        into.set(*option);
        return std::nullopt;
    });
}

std::optional<std::string> read_networks(std::string_view value, SenderRule &into) {
    return each_of(value, [&](std::string_view word) -> std::optional<std::string> {
        const auto network = Network::parse(word);
        if (!network)
            return "network must hold networks such as 10.0.0.0/8 or 2001:db8::/32, without host "
                   "bits, not " +
                   quoted(word) + ".";
        into.networks.push_back(*network);
        return std::nullopt;
    });
}

std::optional<std::string> read_word(std::string_view word, SenderRule &into) {
    const std::size_t equals = word.find('=');
    const std::string_view key = word.substr(0, equals);
    const std::string_view value = equals == word.npos ? "" : word.substr(equals + 1);
    if (word == "local") {
        into.local = true;
        return std::nullopt;
    }
    if (word == "automatic") {
        into.automatic = true;
        return std::nullopt;
    }
    if (value.empty() || key == "local" || key == "automatic")
        return quoted(word) + " is not known here; known are " + std::string(words_known) + ".";
    if (key == "login") {
        into.login = value;
        return std::nullopt;
    }
    if (key == "network") return read_networks(value, into);
    if (key == "defaults") return read_options(key, value, into.defaults);
    if (key == "allow") return read_options(key, value, into.allow);
    if (key == "delegate") return read_address(key, value, into.delegate);
    if (key == "delegate_as") return read_address(key, value, into.delegate_as);
    return quoted(word) + " is not known here; known are " + std::string(words_known) + ".";
}

} // namespace

std::variant<SenderRule, std::string> parse_sender_line(std::string_view line,
                                                        const std::string &account,
                                                        const std::vector<std::string> &domains) {
    if (line.size() > SenderTable::longest_line)
        return "the line is longer than " + std::to_string(SenderTable::longest_line) + " octets.";
    std::string_view rest = line;
    const std::string_view from = next_word(rest), as = next_word(rest);
    if (as.empty()) return "the line must begin with the sender's address and a De-Mail address.";
    SenderRule rule;
    rule.account = account;
    if (auto fault = read_pattern(from, "the sender", rule.from)) return *fault;
    if (auto fault = read_pattern(as, "the De-Mail address", rule.as)) return *fault;
    std::array<std::string_view, 8> seen; // one for each word there is
    std::size_t count = 0;
    for (auto word = next_word(rest); !word.empty(); word = next_word(rest)) {
        if (!is_printable_utf8(word))
            return quoted(word) + " holds a control character or bytes that are not UTF-8.";
        const std::string_view key = word.substr(0, word.find('='));
        for (std::size_t i = 0; i < count; ++i)
            if (seen[i] == key) return quoted(key) + " stands twice.";
        if (auto fault = read_word(word, rule)) return *fault;
        seen.at(count++) = key;
    }
    const auto faults = faults_of(rule, domains, "the line");
    if (!faults.empty()) return faults.front().sentence;
    return rule;
}

std::string sender_line(const SenderRule &rule) {
    std::string line = rule.from.str() + ' ' + rule.as.str();
    const auto add = [&](std::string_view key, const std::string &value) {
        if (!value.empty()) line.append(1, ' ').append(key).append(value);
    };
    add("login=", rule.login);
    std::string networks;
    for (const Network &one : rule.networks)
        networks.append(networks.empty() ? "" : ",").append(one.str());
    add("network=", networks);
    if (rule.local) line += " local";
    add("defaults=", rule.defaults.str());
    add("allow=", rule.allow.str());
    if (rule.automatic) line += " automatic";
    if (rule.delegate) add("delegate=", rule.delegate->lower());
    if (rule.delegate_as) add("delegate_as=", rule.delegate_as->lower());
    return line;
}

} // namespace demail
