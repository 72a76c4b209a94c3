#include "programs/ctl_postfix_tables.hpp"

#include "base/file.hpp"
#include "programs/ctl_postfix_list.hpp"
#include "relay/command.hpp"

#include <algorithm>
#include <sstream>
#include <system_error>

namespace demail::ctl {

namespace {

constexpr std::string_view blanks = " \t\r";
constexpr std::string_view indexed[] = {"hash", "btree", "lmdb", "cdb", "dbm", "sdbm"};
constexpr std::string_view texts[] = {"regexp", "pcre", "cidr", "texthash"};
constexpr std::string_view patterns[] = {"regexp", "pcre", "cidr", "static", "fail"};

template <typename List>
bool is_one_of(const List &list, std::string_view word) {
    return std::find(std::begin(list), std::end(list), word) != std::end(list);
}

relay::CommandResult postmap(const std::string &directory, std::vector<std::string> words,
                             std::string_view input = "") {
    words.insert(words.begin(), "postmap");
    if (!directory.empty()) words.insert(words.begin() + 1, {"-c", directory});
    return relay::run_command(words, relay::Errors::kept, input);
}

std::optional<std::string> text_of(const std::string &directory, const TableName &table) {
    constexpr std::size_t limit = 1024 * 1024;
    if (is_one_of(indexed, table.type)) {
        auto asked = postmap(directory, {"-s", table.type + ":" + table.name});
        if (asked.exit_status != 0) return std::nullopt;
        return std::move(asked.output);
    }
    if (table.type == "inline") {
        std::string text;
        for (const std::string &one : list_elements(without_braces(table.name))) {
            std::string entry(without_braces(one));
            const auto equals = entry.find('=');
            if (equals != std::string::npos) entry[equals] = ' ';
            text += entry + "\n";
        }
        return text;
    }
    if (!is_one_of(texts, table.type) || table.name.starts_with("{")) return std::nullopt;
    try {
        return read_file(table.name, limit);
    } catch (const std::system_error &) {
        return std::nullopt;
    }
}

/// Behind the pattern's other delimiter; npos where there is none.
std::size_t end_of_pattern(std::string_view line) {
    const std::size_t start = line.starts_with('!') ? 1 : 0;
    if (line.size() <= start) return std::string_view::npos;
    const char delimiter = line[start];
    for (std::size_t i = start + 1; i < line.size(); ++i) {
        if (line[i] == '\\')
            ++i;
        else if (line[i] == delimiter)
            return i + 1;
    }
    return std::string_view::npos;
}

TableEntry entry_of(std::string_view line, std::size_t number, bool with_patterns) {
    std::size_t end = 0;
    if (with_patterns && line.find_first_of("/!") == 0) end = end_of_pattern(line);
    if (end != std::string_view::npos) end = line.find_first_of(blanks, end);
    if (end == std::string_view::npos) return {number, std::string(line), ""};
    const std::size_t value = line.find_first_not_of(blanks, end);
    return {number, std::string(line.substr(0, end)),
            value == std::string_view::npos ? "" : std::string(line.substr(value))};
}

bool steers(std::string_view line) {
    const std::string_view word = line.substr(0, line.find_first_of(" \t/!"));
    return word == "if" || word == "endif";
}

} // namespace

TableName::TableName(std::string_view element) {
    constexpr std::string_view proxy = "proxy:";
    if (element.starts_with(proxy)) element.remove_prefix(proxy.size());
    const auto colon = element.find(':');
    type = element.substr(0, colon);
    if (colon != std::string_view::npos) name = element.substr(colon + 1);
}

bool TableName::of_patterns() const {
    return is_one_of(patterns, type);
}

TableFacts::Answers ask_table(const std::string &directory, const std::string &element,
                              const std::vector<std::string> &keys) {
    TableFacts::Answers answers;
    std::string lines;
    for (const std::string &key : keys)
        lines += key + "\n";
    const auto asked = postmap(directory, {"-q", "-", element}, lines);
    // postmap ends with 1 where no key is there, too: then it has nothing to say.
    const bool told = asked.exit_status == 0 || (asked.exit_status == 1 && asked.errors.empty());
    for (const std::string &key : keys)
        answers[key].told = told;
    std::istringstream output(asked.output);
    for (std::string line; std::getline(output, line);) {
        const auto tab = line.find('\t');
        const auto answer = answers.find(std::string_view(line).substr(0, tab));
        if (tab != std::string::npos && answer != answers.end())
            answer->second = {true, line.substr(tab + 1)};
    }
    return answers;
}

TableFacts look_at_table(const std::string &directory, const std::string &element,
                         const std::vector<std::string> &keys) {
    const TableName table(element);
    TableFacts facts;
    facts.text = text_of(directory, table);
    if ((!facts.text || table.of_patterns()) && !keys.empty())
        facts.answers = ask_table(directory, element, keys);
    return facts;
}

std::vector<TableEntry> entries_of(std::string_view text, bool with_patterns) {
    std::vector<TableEntry> entries;
    std::size_t number = 0;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        ++number;
        const auto first = line.find_first_not_of(blanks);
        if (first == std::string_view::npos || line[first] == '#') continue;
        line = line.substr(0, line.find_last_not_of(blanks) + 1);
        if (first > 0 && !entries.empty()) {
            std::string &value = entries.back().value;
            value += (value.empty() ? "" : " ") + std::string(line.substr(first));
            continue;
        }
        line.remove_prefix(first);
        if (!steers(line)) entries.push_back(entry_of(line, number, with_patterns));
    }
    return entries;
}

} // namespace demail::ctl
