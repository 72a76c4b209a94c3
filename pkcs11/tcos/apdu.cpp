#include "tcos/apdu.hpp"

#include <algorithm>
#include <array>

namespace demail::tcos {
namespace {

struct Meaning {
    std::uint16_t status;
    std::string_view text;
};

constexpr Meaning meanings[] = {
    {0x6282, "end of file"},
    {0x6300, "no success"},
    {0x6581, "memory failure"},
    {0x6700, "wrong length"},
    {0x6982, "security status not satisfied"},
    {0x6983, "PIN blocked"},
    {0x6984, "reference data not usable"},
    {0x6985, "conditions of use not satisfied"},
    {0x6986, "no file selected"},
    {0x6A80, "wrong data"},
    {0x6A81, "function not supported"},
    {0x6A82, "file not found"},
    {0x6A83, "record not found"},
    {0x6A86, "wrong parameters"},
    {0x6A87, "length does not fit the parameters"},
    {0x6A88, "referenced data not found"},
    {0x6B00, "wrong offset"},
    {0x6D00, "instruction not supported"},
    {0x6E00, "class not supported"},
    {0x6F00, "no diagnosis"},
};

void append_hex(std::string &to, unsigned char octet) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    to += digits[octet >> 4U];
    to += digits[octet & 15U];
}

// SELECT, READ BINARY, READ RECORD, MANAGE SECURITY ENVIRONMENT: nothing of them is secret.
constexpr std::array<unsigned char, 4> open_instructions = {0xa4, 0xb0, 0xb2, 0x22};
constexpr std::size_t longest_shown = 32;

} // namespace

std::string text(StatusWord status) {
    std::string out;
    append_hex(out, static_cast<unsigned char>(status.sw1()));
    append_hex(out, static_cast<unsigned char>(status.sw2()));
    const auto *const known =
        std::find_if(std::begin(meanings), std::end(meanings),
                     [&](const Meaning &m) { return m.status == status.value; });
    if (known != std::end(meanings)) return out.append(", ").append(known->text);
    if (status.sw1() == 0x63 && (status.sw2() & 0xf0U) == 0xc0)
        out.append(", tries left: ").append(std::to_string(status.sw2() & 15U));
    return out;
}

std::optional<std::size_t> encode(const Command &command, std::span<unsigned char> out) noexcept {
    const std::size_t lc = command.data.size();
    const std::size_t ne = command.expected;
    if (lc > longest_data || ne > longest_expected) return std::nullopt;
    const bool extended = lc > 255 || ne > 256;
    std::size_t size = 0;
    bool fits = true;
    const auto put = [&](std::size_t octet) {
        if (size < out.size())
            out[size++] = static_cast<unsigned char>(octet & 0xffU);
        else
            fits = false;
    };
    const auto put_length = [&](std::size_t length) {
        if (extended) put(length >> 8U);
        put(length);
    };
    put(command.cla);
    put(command.ins);
    put(command.p1);
    put(command.p2);
    // One zero octet before the first length field says that they are extended.
    if (extended) put(0);
    if (lc > 0) {
        put_length(lc);
        for (const unsigned char octet : command.data)
            put(octet);
    }
    if (ne > 0) put_length(ne); // 256 is written 00 in short form
    if (!fits) return std::nullopt;
    return size;
}

std::optional<Response> parse_response(View answer) noexcept {
    if (answer.size() < 2) return std::nullopt;
    const View status = answer.last(2);
    return Response{answer.first(answer.size() - 2),
                    {static_cast<std::uint16_t>(status[0] << 8U | status[1])}};
}

std::string description(View command) {
    if (command.size() < 4 || command[0] != 0) return "(no command of ours)";
    std::string out;
    for (std::size_t i = 0; i < 4; ++i) {
        if (i > 0) out += ' ';
        append_hex(out, command[i]);
    }
    if (command.size() == 4) return out;
    if (std::find(open_instructions.begin(), open_instructions.end(), command[1]) ==
        open_instructions.end())
        return out.append(" ...");
    const View shown = command.subspan(4, std::min(command.size() - 4, longest_shown));
    for (const unsigned char octet : shown) {
        out += ' ';
        append_hex(out, octet);
    }
    return shown.size() + 4 < command.size() ? out.append(" ...") : out;
}

} // namespace demail::tcos
