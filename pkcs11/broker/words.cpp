#include "broker/words.hpp"

#include "base/digest.hpp"

#include <algorithm>
#include <charconv>

namespace demail::broker {
namespace {

bool name_character(char c) {
    return (c >= 'a' && c <= 'z') || c == '_';
}

/// Takes a quoted value from the front of `rest`.
std::optional<std::string> take_value(std::string_view &rest) {
    if (!rest.starts_with('"')) return std::nullopt;
    rest.remove_prefix(1);
    std::string value;
    while (!rest.empty() && rest.front() != '"') {
        if (rest.front() != '\\') {
            value += rest.front();
            rest.remove_prefix(1);
        } else if (rest.starts_with("\\x")) {
            const auto byte = from_hex(rest.substr(2, 2));
            if (!byte || byte->size() != 1) return std::nullopt;
            value += *byte;
            rest.remove_prefix(4);
        } else if (rest.starts_with("\\\"") || rest.starts_with("\\\\")) {
            value += rest[1];
            rest.remove_prefix(2);
        } else {
            return std::nullopt;
        }
    }
    if (rest.empty()) return std::nullopt;
    rest.remove_prefix(1);
    return value;
}

} // namespace

std::optional<Words> parse_words(std::string_view line) {
    if (line.ends_with('\n')) line.remove_suffix(1);
    Words words;
    while (!line.empty()) {
        const auto end = static_cast<std::size_t>(
            std::find_if_not(line.begin(), line.end(), name_character) - line.begin());
        if (end == 0 || end == line.size() || line[end] != '=') return std::nullopt;
        std::string name(line.substr(0, end));
        line.remove_prefix(end + 1);
        auto value = take_value(line);
        if (!value || !words.emplace(std::move(name), std::move(*value)).second)
            return std::nullopt;
        if (line.empty()) break;
        if (line.front() != ' ' || line.size() == 1) return std::nullopt;
        line.remove_prefix(1);
    }
    return words;
}

std::optional<std::string> word(const Words &words, std::string_view name) {
    const auto found = words.find(name);
    if (found == words.end()) return std::nullopt;
    return found->second;
}

std::optional<long long> number(const Words &words, std::string_view name) {
    const auto text = word(words, name);
    if (!text || text->empty() || text->size() > 18) return std::nullopt;
    long long value = 0;
    const auto result = std::from_chars(text->data(), text->data() + text->size(), value);
    if (result.ec != std::errc() || result.ptr != text->data() + text->size()) return std::nullopt;
    return value;
}

} // namespace demail::broker
