#include "message/header.hpp"

#include "message/ascii.hpp"

#include <algorithm>
#include <array>
#include <iterator>

namespace demail {

namespace {

std::string_view without_blanks_behind(std::string_view name) noexcept {
    while (!name.empty() && ascii::blank(name.back()))
        name.remove_suffix(1);
    return name;
}

// RFC 5322 2.2: printable US-ASCII without the colon; 4.5: blanks may stand before the colon.
bool is_field_name(std::string_view name) noexcept {
    name = without_blanks_behind(name);
    return !name.empty() &&
           std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c <= '~'; });
}

// A bare CR or LF is a line end to one reader and none to the next; NUL ends a C string.
bool is_line(std::string_view line) noexcept {
    return line.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

} // namespace

bool HeaderField::is(std::string_view other) const noexcept {
    return ascii::equal(without_blanks_behind(name), other);
}

std::string HeaderField::unfolded() const {
    std::string text;
    text.reserve(value.size());
    std::copy_if(value.begin(), value.end(), std::back_inserter(text),
                 [](char c) { return !ascii::line_break(c); });
    return std::string(ascii::trim(text));
}

std::optional<HeaderFields> parse_header(std::string_view block) {
    HeaderFields fields;
    while (!block.empty()) {
        const std::size_t end = block.find("\r\n");
        const std::string_view line = block.substr(0, end);
        block.remove_prefix(end == std::string_view::npos ? block.size() : end + 2);
        if (line.empty()) {
            // The empty line ends the header; what follows it is no header.
            if (!block.empty()) return std::nullopt;
            break;
        }
        if (!is_line(line)) return std::nullopt;
        if (ascii::blank(line.front())) {
            if (fields.empty()) return std::nullopt;
            fields.back().value.append("\r\n").append(line);
            continue;
        }
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos || !is_field_name(line.substr(0, colon)))
            return std::nullopt;
        fields.push_back({std::string(line.substr(0, colon)), std::string(line.substr(colon + 1))});
    }
    return fields;
}

const HeaderField *topmost(const HeaderFields &fields, std::string_view name) noexcept {
    const auto found = std::find_if(fields.begin(), fields.end(),
                                    [&](const HeaderField &field) { return field.is(name); });
    return found == fields.end() ? nullptr : &*found;
}

std::size_t count(const HeaderFields &fields, std::string_view name) noexcept {
    return static_cast<std::size_t>(std::count_if(
        fields.begin(), fields.end(), [&](const HeaderField &field) { return field.is(name); }));
}

std::string relaxed(const HeaderField &field) {
    std::string text = ascii::lower(without_blanks_behind(field.name));
    text.reserve(text.size() + field.value.size() + 3);
    text += ':';
    // Blanks at the end of the value never get out of `pending`; those at its start neither.
    bool pending = false;
    bool begun = false;
    for (const char c : field.value) {
        if (ascii::line_break(c)) continue;
        if (ascii::blank(c)) {
            pending = begun;
            continue;
        }
        if (pending) text += ' ';
        pending = false;
        begun = true;
        text += c;
    }
    return text += "\r\n";
}

bool reads_as_demail(std::string_view name) noexcept {
    // RFC 2047 5 allows no encoded word here, but some programs decode a header as a whole. Which
    // charsets they know nobody can tell, so that any is taken for ours.
    if (name.find("=?") != std::string_view::npos) return true;
    // Letters and digits alone count. To PHP and CGI all between them is the same "_"; among the
    // octets outside ASCII are no-break spaces, soft hyphens and dashes (RFC 5322 2.2 has none).
    std::array<char, 7> read{};
    std::size_t length = 0;
    for (const char c : name) {
        if (!ascii::letter_or_digit(c)) continue;
        read[length++] = ascii::lower(c);
        if (length == read.size()) break;
    }
    const std::string_view text(read.data(), length);
    return text == "xdemail" || text.starts_with("demail");
}

bool sender_may_set(std::string_view name) noexcept {
    static constexpr std::array<std::string_view, 8> names{"x-de-mail-confirmation-of-dispatch",
                                                           "x-de-mail-confirmation-of-receipt",
                                                           "x-de-mail-confirmation-of-retrieve",
                                                           "x-de-mail-authoritative",
                                                           "x-de-mail-private",
                                                           "x-de-mail-sender",
                                                           "x-de-mail-private-id",
                                                           "x-de-mail-privat-id"};
    return std::any_of(names.begin(), names.end(),
                       [&](std::string_view one) { return ascii::equal(name, one); });
}

} // namespace demail
