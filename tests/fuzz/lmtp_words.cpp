// LMTP's command lines to words, and replies to lines.
#include "fuzz.hpp"
#include "lmtp/protocol.hpp"

#include <algorithm>
#include <string>

namespace demail::fuzz {
namespace {

void path_reads_back(const lmtp::PathArgument &path, std::string_view keyword) {
    std::string text = std::string(keyword) + ":<" + path.path + '>';
    for (const auto &[name, value] : path.parameters) {
        HOLDS(!value || !value->empty());
        HOLDS(lmtp::capitals(name) == name);
        text += ' ' + name + (value ? '=' + *value : std::string());
    }
    const auto again = lmtp::parse_path(text, keyword);
    HOLDS(again && again->path == path.path && again->parameters == path.parameters);
}

void xtext_reads_back(std::string_view octets) {
    std::string text;
    for (const char c : octets) {
        constexpr std::string_view digits = "0123456789ABCDEF";
        const auto octet = static_cast<unsigned char>(c);
        if (octet > ' ' && octet < 0x7f && c != '+' && c != '=')
            text += c;
        else
            (((text += '+') += digits[octet >> 4U]) += digits[octet & 15U]);
    }
    HOLDS(lmtp::decode_xtext(text) == std::string(octets));
}

void reply_is_one_line(std::string_view text, int code) {
    // The text may look like an enhanced code as well.
    const std::string line =
        lmtp::reply_line({code, std::string(text.substr(0, 8)), std::string(text)});
    HOLDS(line.size() <= 512 && line.ends_with("\r\n"));
    HOLDS(std::all_of(line.begin(), line.end() - 2, [](char c) { return c >= ' ' && c <= '~'; }));
    HOLDS(line[0] >= '2' && line[0] <= '5' && line[3] == ' ');
    // An enhanced code agrees with the basic one (RFC 3463 2).
    if (line.size() > 7 && line[5] == '.' && line[4] != line[0])
        HOLDS(text.starts_with(line.substr(4, 2)));
}

} // namespace

void lmtp_words(std::string_view text) {
    const lmtp::Command command = lmtp::parse_command(text);
    HOLDS(command.argument.empty() ||
          (command.argument.data() >= text.data() &&
           command.argument.data() + command.argument.size() <= text.data() + text.size()));
    for (const std::string_view argument : {text, command.argument}) {
        for (const std::string_view keyword : {"FROM", "TO"})
            if (const auto path = lmtp::parse_path(argument, keyword))
                path_reads_back(*path, keyword);
        if (const auto attributes = lmtp::parse_xforward(argument)) HOLDS(!attributes->empty());
    }
    xtext_reads_back(text);
    if (const auto octets = lmtp::decode_xtext(text)) HOLDS(octets->size() <= text.size());
    for (const int code : {250, 451, 550, 0, 1000})
        reply_is_one_line(text, code);
}

} // namespace demail::fuzz
