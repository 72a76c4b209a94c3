#include "filter/subject_flags.hpp"

#include "base/edit_distance.hpp"
#include "message/subject_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace demail::filter {
namespace {

struct Flag {
    std::string_view letters; ///< folded
    Option option;
    std::string_view shown; ///< in an SMTP reply: ASCII
};

constexpr std::array<Flag, 10> known{{
    {"versandbestaetigung", Option::confirmation_of_dispatch, "[Versandbestaetigung]"},
    {"eingangsbestaetigung", Option::confirmation_of_receipt, "[Eingangsbestaetigung]"},
    {"abholbestaetigung", Option::confirmation_of_retrieve, "[Abholbestaetigung]"},
    {"absenderbestaetigt", Option::authoritative, "[Absenderbestaetigt]"},
    {"persoenlich", Option::personal, "[Persoenlich]"},
    {"deliveryconfirmation", Option::confirmation_of_dispatch, "[Delivery confirmation]"},
    {"receiptconfirmation", Option::confirmation_of_receipt, "[Receipt confirmation]"},
    {"collectionconfirmation", Option::confirmation_of_retrieve, "[Collection confirmation]"},
    {"confirmedbysender", Option::authoritative, "[Confirmed by sender]"},
    {"personal", Option::personal, "[Personal]"},
}};

/// Longer than all of them one behind the other.
constexpr std::size_t longest_word = 256;

bool blank(char32_t c) {
    // No-break space, soft hyphen, zero width space, byte order mark: what word processors bring.
    return c == U' ' || c == U'\t' || c == U'\r' || c == U'\n' || c == 0xa0 || c == 0xad ||
           c == 0x200b || c == 0xfeff;
}

bool separator(char32_t c) {
    return std::u32string_view(U",;+&/|").find(c) != std::u32string_view::npos;
}

/// Small letters, umlauts as ae, oe, ue (both forms of Unicode), what is no letter of ours as "?".
std::string folded(std::u32string_view text) {
    std::string out;
    for (const char32_t c : text) {
        if (blank(c)) continue;
        if (c >= U'A' && c <= U'Z')
            out += static_cast<char>(c - U'A' + U'a');
        else if (c >= U'a' && c <= U'z')
            out += static_cast<char>(c);
        else if (c == 0xc4 || c == 0xe4)
            out += "ae";
        else if (c == 0xd6 || c == 0xf6)
            out += "oe";
        else if (c == 0xdc || c == 0xfc)
            out += "ue";
        else if (c == 0x308 && !out.empty()) // combining diaeresis
            out += 'e';
        else
            out += '?';
        if (out.size() > longest_word) break;
    }
    return out;
}

/// The flags that the letters are made of, one behind the other; none where there is a rest.
std::vector<const Flag *> made_of(std::string_view letters) {
    std::vector<const Flag *> found;
    while (!letters.empty()) {
        const auto one = std::find_if(known.begin(), known.end(), [&](const Flag &flag) {
            return letters.starts_with(flag.letters);
        });
        if (one == known.end()) return {};
        found.push_back(&*one);
        letters.remove_prefix(one->letters.size());
    }
    return found;
}

const Flag *nearly(std::string_view letters) {
    const auto tolerated = [](const Flag &flag) {
        constexpr std::size_t short_word = 12;
        return flag.letters.size() < short_word ? std::size_t{1} : tolerated_distance;
    };
    const auto one = std::find_if(known.begin(), known.end(), [&](const Flag &flag) {
        return edit_distance(letters, flag.letters) <= tolerated(flag);
    });
    return one == known.end() ? nullptr : &*one;
}

using Range = SubjectText::Range;

/// Brackets at the start, then those at the end: "[", what is no bracket, "]". Both ends included.
std::vector<Range> brackets(std::u32string_view text) {
    std::vector<Range> found;
    std::size_t begin = 0, end = text.size();
    const auto is_blank = [&](std::size_t at) { return blank(text[at]); };
    while (true) {
        while (begin < end && is_blank(begin))
            ++begin;
        if (begin == end || text[begin] != U'[') break;
        const std::size_t close = text.find_first_of(U"[]", begin + 1);
        if (close == text.npos || text[close] != U']') break;
        found.push_back({begin, close + 1});
        begin = close + 1;
    }
    const auto at_start = static_cast<std::ptrdiff_t>(found.size());
    while (true) {
        while (end > begin && is_blank(end - 1))
            --end;
        if (end < begin + 2 || text[end - 1] != U']') break;
        const std::size_t open = text.find_last_of(U"[]", end - 2);
        if (open == text.npos || open < begin || text[open] != U'[') break;
        found.push_back({open, end});
        end = open;
    }
    std::reverse(found.begin() + at_start, found.end());
    return found;
}

struct Brackets {
    std::vector<const Flag *> flags;
    bool others = false; ///< something that is no flag
};

Brackets read_brackets(std::u32string_view inside) {
    Brackets read;
    while (true) {
        const auto end = std::find_if(inside.begin(), inside.end(), separator);
        const auto length = static_cast<std::size_t>(end - inside.begin());
        const std::string letters = folded(inside.substr(0, length));
        const auto flags = made_of(letters);
        read.flags.insert(read.flags.end(), flags.begin(), flags.end());
        read.others = read.others || (flags.empty() && !letters.empty());
        if (end == inside.end()) return read;
        inside.remove_prefix(length + 1);
    }
}

/// A flag with the blanks that parted it from what stays: those before it, or, where nothing stays
/// before it, those behind it.
Range with_blanks(std::u32string_view text, Range flag, std::size_t gone_up_to, bool first) {
    if (first)
        while (flag.end < text.size() && blank(text[flag.end]))
            ++flag.end;
    else
        while (flag.begin > gone_up_to && blank(text[flag.begin - 1]))
            --flag.begin;
    return flag;
}

/// Not a word of the subject itself: the sentence goes to the log.
Objection not_a_flag(const Flag &flag) {
    return {fmt::format("Brackets in the subject nearly hold the De-Mail option {}, but it is not "
                        "spelt so; correct it, or write it without brackets.",
                        flag.shown)};
}

Objection flag_and_others(const Flag &flag) {
    return {fmt::format("Brackets in the subject hold the De-Mail option {} and something that is "
                        "no option; write the option in brackets of its own, or leave it out.",
                        flag.shown)};
}

} // namespace

std::variant<SubjectFlags, Objection> read_subject_flags(std::string_view value) {
    SubjectFlags asked;
    if (value.size() > SubjectText::longest)
        return Objection{"The subject is too long for a De-Mail; shorten it."};
    if (value.find('[') == value.npos && value.find("=?") == value.npos) return asked;
    const SubjectText subject(value);
    const std::u32string_view text = subject.characters();
    std::vector<Range> taken_out;
    std::size_t gone_up_to = 0;
    bool first = true; // nothing but blanks stays before
    for (const Range &pair : brackets(text)) {
        const auto read = read_brackets(text.substr(pair.begin + 1, pair.end - pair.begin - 2));
        if (read.flags.empty()) {
            if (const Flag *meant =
                    nearly(folded(text.substr(pair.begin + 1, pair.end - pair.begin - 2))))
                return not_a_flag(*meant);
            first = false;
            continue;
        }
        if (read.others) return flag_and_others(*read.flags.front());
        for (const Flag *flag : read.flags)
            asked.flags[static_cast<std::size_t>(flag->option)] = flag->shown;
        if (first) {
            const auto before = text.substr(gone_up_to, pair.begin - gone_up_to);
            first = std::all_of(before.begin(), before.end(), blank);
        }
        taken_out.push_back(with_blanks(text, pair, gone_up_to, first));
        gone_up_to = taken_out.back().end;
    }
    if (taken_out.empty()) return asked;
    asked.rest = subject.without(taken_out);
    // An empty value would tell the MTA to delete the field.
    if (asked.rest->empty()) asked.rest->push_back(' ');
    return asked;
}

} // namespace demail::filter
