// Address lists of header fields and their display names.
#include "fuzz.hpp"
#include "message/address.hpp"
#include "message/display_name.hpp"

#include <string>

namespace demail::fuzz {
namespace {

// The name as we would write it is a phrase, and nothing but one, to whoever reads it.
void stays_a_phrase(const std::string &name) {
    const std::string written = phrase(name);
    const auto list = parse_mailboxes(written + " <a@b.example>");
    HOLDS(list && list->size() == 1 && list->front().address.str() == "a@b.example");
    HOLDS(phrase(list->front().display_name) == written);
    if (!holds_at_sign(name)) HOLDS(!holds_at_sign(list->front().display_name));
}

} // namespace

void mailboxes(std::string_view value) {
    constexpr std::size_t limit = 5;
    const auto list = parse_mailboxes(value);
    const auto few = parse_mailboxes(value, limit);
    HOLDS(!few || (list && few->size() <= limit && few->size() == list->size()));
    HOLDS(!list || few || list->size() > limit);
    for (const Mailbox &mailbox : list.value_or(std::vector<Mailbox>{})) {
        const auto again = Address::parse(mailbox.address.str());
        HOLDS(again && again->str() == mailbox.address.str());
        HOLDS(mailbox.display_name.find_first_of("\r\n") == std::string::npos);
        HOLDS(mailbox.display_name.find('@') == std::string::npos ||
              holds_at_sign(mailbox.display_name));
        stays_a_phrase(mailbox.display_name);
    }
}

} // namespace demail::fuzz
