#include "lmtp/protocol.hpp"

#include <algorithm>
#include <array>

namespace demail::lmtp {
namespace {

constexpr std::array<std::pair<std::string_view, Verb>, 11> verbs{{
    {"LHLO", Verb::lhlo},
    {"HELO", Verb::helo},
    {"EHLO", Verb::ehlo},
    {"MAIL", Verb::mail},
    {"RCPT", Verb::rcpt},
    {"DATA", Verb::data},
    {"RSET", Verb::rset},
    {"NOOP", Verb::noop},
    {"QUIT", Verb::quit},
    {"VRFY", Verb::vrfy},
    {"XFORWARD", Verb::xforward},
}};
constexpr std::array<std::string_view, 7> xforward_names{"NAME", "ADDR",  "PORT",  "PROTO",
                                                         "HELO", "IDENT", "SOURCE"};
constexpr std::size_t longest_reply = 512;

std::string_view trimmed(std::string_view text) {
    while (text.starts_with(' ') || text.starts_with('\t'))
        text.remove_prefix(1);
    while (text.ends_with(' ') || text.ends_with('\t'))
        text.remove_suffix(1);
    return text;
}

bool control(char c) {
    const auto octet = static_cast<unsigned char>(c);
    return octet < 0x20 || octet == 0x7f;
}

/// The next word and what follows it, blanks skipped.
std::string_view take_word(std::string_view &text) {
    text = trimmed(text);
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(word.size());
    text = trimmed(text);
    return word;
}

/// Where the path's ">" stands; one within a quoted local part does not count.
std::size_t path_end(std::string_view text) {
    bool quoted = false;
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '\\')
            ++i;
        else if (text[i] == '"')
            quoted = !quoted;
        else if (text[i] == '>' && !quoted)
            return i;
        else if (text[i] == '<' && !quoted)
            break;
    }
    return std::string_view::npos;
}

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/// RFC 5321 4.1.2: esmtp-keyword.
bool good_keyword(std::string_view name) {
    return !name.empty() && name.front() != '-' &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
           });
}

} // namespace

std::string capitals(std::string_view text) {
    std::string out(text);
    for (char &c : out)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return out;
}

Command parse_command(std::string_view line) {
    std::string_view rest = line;
    const std::string word = capitals(take_word(rest));
    const auto *found = std::find_if(verbs.begin(), verbs.end(),
                                     [&](const auto &one) { return one.first == word; });
    return {found == verbs.end() ? Verb::unknown : found->second, rest};
}

std::optional<PathArgument> parse_path(std::string_view argument, std::string_view keyword) {
    if (std::any_of(argument.begin(), argument.end(), control)) return std::nullopt;
    if (capitals(argument.substr(0, keyword.size())) != keyword ||
        argument.substr(keyword.size(), 1) != ":")
        return std::nullopt;
    std::string_view rest = trimmed(argument.substr(keyword.size() + 1));
    if (!rest.starts_with('<')) return std::nullopt;
    const std::size_t end = path_end(rest);
    if (end == std::string_view::npos) return std::nullopt;
    PathArgument result;
    result.path = rest.substr(1, end - 1);
    rest.remove_prefix(end + 1);
    if (!rest.empty() && rest.front() != ' ') return std::nullopt;
    for (std::string_view word = take_word(rest); !word.empty(); word = take_word(rest)) {
        const std::size_t equals = word.find('=');
        std::string name = capitals(word.substr(0, equals));
        const bool twice = std::any_of(result.parameters.begin(), result.parameters.end(),
                                       [&](const auto &one) { return one.first == name; });
        if (twice || !good_keyword(name)) return std::nullopt;
        std::optional<std::string> value;
        if (equals != std::string_view::npos) value = std::string(word.substr(equals + 1));
        if (value && value->empty()) return std::nullopt;
        result.parameters.emplace_back(std::move(name), std::move(value));
    }
    return result;
}

std::optional<std::vector<std::pair<std::string, std::string>>>
parse_xforward(std::string_view argument) {
    std::vector<std::pair<std::string, std::string>> attributes;
    for (std::string_view word = take_word(argument); !word.empty(); word = take_word(argument)) {
        const std::size_t equals = word.find('=');
        if (equals == std::string_view::npos) return std::nullopt;
        std::string name = capitals(word.substr(0, equals));
        auto value = decode_xtext(word.substr(equals + 1));
        if (!value ||
            std::find(xforward_names.begin(), xforward_names.end(), name) == xforward_names.end())
            return std::nullopt;
        if (*value == "[UNAVAILABLE]" || *value == "[TEMPUNAVAIL]") value->clear();
        attributes.emplace_back(std::move(name), std::move(*value));
    }
    if (attributes.empty()) return std::nullopt;
    return attributes;
}

std::optional<std::string> decode_xtext(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '+') {
            out += text[i];
            continue;
        }
        if (text.size() - i < 3) return std::nullopt;
        const int high = hex_value(text[i + 1]), low = hex_value(text[i + 2]);
        if (high < 0 || low < 0) return std::nullopt;
        out += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return out;
}

std::string reply_line(const Reply &reply) {
    static constexpr char digits[] = "0123456789abcdef";
    if (reply.code < 200 || reply.code > 599)
        return "451 4.3.0 The relay failed; the message is tried again later.\r\n";
    std::string line = std::to_string(reply.code) + ' ';
    // An enhanced code of another class than the reply's would be read as the sender pleases.
    if (!reply.enhanced.empty() && reply.enhanced.front() == line.front() &&
        reply.enhanced.size() <= 12 &&
        reply.enhanced.find_first_not_of("0123456789.") == std::string::npos)
        line += reply.enhanced + ' ';
    for (const char c : reply.text) {
        std::string piece(1, c);
        const auto octet = static_cast<unsigned char>(c);
        if (octet < 0x20 || octet >= 0x7f)
            piece = {'\\', 'x', digits[octet >> 4], digits[octet & 15]};
        if (line.size() + piece.size() > longest_reply - 2) break;
        line += piece;
    }
    return line + "\r\n";
}

} // namespace demail::lmtp
