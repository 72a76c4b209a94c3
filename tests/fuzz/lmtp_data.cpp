// What follows DATA, against a second decoder that sees all of it at once; the first byte says in
// which pieces the real one gets it.
#include "fuzz.hpp"
#include "lmtp/data_decoder.hpp"

#include <string>

namespace demail::fuzz {
namespace {

struct Decoded {
    std::string content;
    std::size_t used = 0;
    bool ended = false;
    bool bad_bytes = false;
};

// RFC 5321 4.5.2: a line is what ends in CRLF; one that is "." ends the data, of any other a first
// "." is dropped.
Decoded decode_by_lines(std::string_view data) {
    Decoded decoded;
    while (decoded.used < data.size()) {
        std::string_view line = data.substr(decoded.used);
        const std::size_t end = line.find("\r\n");
        if (end != std::string_view::npos) line = line.substr(0, end + 2);
        decoded.used += line.size();
        decoded.ended = line == ".\r\n";
        if (decoded.ended) break;
        if (line.starts_with('.')) line.remove_prefix(1);
        decoded.content += line;
        for (std::size_t i = 0; i < line.size(); ++i) {
            const bool cr_without_lf =
                line[i] == '\r' && (i + 1 == line.size() || line[i + 1] != '\n');
            const bool lf_without_cr = line[i] == '\n' && (i == 0 || line[i - 1] != '\r');
            decoded.bad_bytes =
                decoded.bad_bytes || line[i] == '\0' || cr_without_lf || lf_without_cr;
        }
    }
    return decoded;
}

Decoded decode_in_pieces(std::string_view data, unsigned pace) {
    lmtp::DataDecoder decoder;
    Decoded decoded;
    while (decoded.used < data.size() && !decoder.ended()) {
        pace = pace * 75 + 74;
        const std::string_view piece = data.substr(decoded.used, 1 + pace % 17);
        const std::size_t used =
            decoder.feed(piece, [&](std::string_view span) { decoded.content += span; });
        HOLDS(used == piece.size() || decoder.ended());
        decoded.used += used;
    }
    decoded.ended = decoder.ended();
    decoded.bad_bytes = decoder.bad_bytes();
    return decoded;
}

} // namespace

void lmtp_data(std::string_view input) {
    Input taken(input);
    const unsigned pace = taken.byte();
    const std::string_view data = taken.rest();
    const Decoded expected = decode_by_lines(data);
    const Decoded got = decode_in_pieces(data, pace);
    HOLDS(got.ended == expected.ended);
    // Short of the end a CR behind a dot is withheld until it is known what it belongs to, and a CR
    // at the very end is not bad yet.
    if (!expected.ended) {
        HOLDS(expected.content.starts_with(got.content));
        HOLDS(expected.content.size() - got.content.size() <= 1);
        HOLDS(!got.bad_bytes || expected.bad_bytes);
        return;
    }
    HOLDS(got.used == expected.used);
    HOLDS(got.content == expected.content);
    HOLDS(got.bad_bytes == expected.bad_bytes);
    HOLDS(got.content.empty() || got.content.ends_with("\r\n"));
}

} // namespace demail::fuzz
