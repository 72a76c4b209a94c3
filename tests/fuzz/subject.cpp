// The Subject with its encoded words, and the flags in it.
#include "filter/subject_flags.hpp"
#include "fuzz.hpp"
#include "message/subject_text.hpp"

#include <algorithm>
#include <vector>

namespace demail::fuzz {
namespace {

/// What a reader sees, white space apart.
std::u32string seen(const SubjectText &subject) {
    std::u32string text = subject.characters();
    std::erase_if(text, [](char32_t c) { return c <= U' '; });
    return text;
}

void loses_what_is_taken_out_and_nothing_else(std::string_view value, Input &input) {
    const SubjectText subject(value);
    const std::u32string &text = subject.characters();
    HOLDS(subject.without({}) == value);
    std::vector<SubjectText::Range> ranges;
    std::u32string left;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t kept = std::min<std::size_t>(input.byte() % 8, text.size() - begin);
        left.append(text, begin, kept);
        begin += kept;
        const std::size_t end = std::min<std::size_t>(begin + 1 + input.byte() % 8, text.size());
        ranges.push_back({begin, end});
        begin = end;
    }
    std::erase_if(left, [](char32_t c) { return c <= U' '; });
    // Octets that come together may be read in another way: of plain text alone this is so.
    const bool plain = std::all_of(value.begin(), value.end(),
                                   [](char c) { return c > 0 && c != '?' && c != '='; });
    const std::string rest = subject.without(ranges);
    HOLDS(rest.size() <= value.size() + 32 * ranges.size());
    if (plain) HOLDS(seen(SubjectText(rest)) == left);
}

} // namespace

void subject(std::string_view bytes) {
    Input input(bytes);
    const std::string_view choices = input.until('\n');
    const std::string_view value = input.rest();
    const auto read = filter::read_subject_flags(value);
    if (value.size() > SubjectText::longest) return;
    Input chooser(choices);
    loses_what_is_taken_out_and_nothing_else(value, chooser);
    const auto *asked = std::get_if<filter::SubjectFlags>(&read);
    if (asked == nullptr || !asked->rest) return;
    // The rest is what stood there, in its order.
    const std::u32string before = seen(SubjectText(value)), after = seen(SubjectText(*asked->rest));
    // Halves of letters that come together would be read as one.
    if (before.find(U'\ufffd') != before.npos) return;
    auto at = before.begin();
    for (const char32_t c : after) {
        at = std::find(at, before.end(), c);
        HOLDS(at != before.end());
        ++at;
    }
    HOLDS(after.size() < before.size());
}

} // namespace demail::fuzz
