// Entries of a directory: whatever their values hold, what comes of them is the rules that were
// meant, one for each entry that was taken.
#include "directory/entry_rules.hpp"
#include "fuzz.hpp"

namespace demail::fuzz {

/// Entries behind a byte 0xfe, attributes behind a 0xfd, values behind a 0xfc.
void directory_entry(std::string_view text) {
    const std::vector<std::string> domains{"firm.de-mail.de"};
    directory::EntryRules rules({"firm", domains, {}, {}});
    std::size_t taken = 0;
    Input entries(text);
    while (!entries.rest().empty()) {
        directory::Entry entry;
        Input attributes(entries.until('\xfe'));
        for (auto member :
             {&directory::Entry::from, &directory::Entry::as, &directory::Entry::login,
              &directory::Entry::defaults, &directory::Entry::allow}) {
            Input values(attributes.until('\xfd'));
            while (!values.rest().empty())
                (entry.*member).emplace_back(values.until('\xfc'));
        }
        const std::string fault = rules.add(entry);
        if (fault.empty()) ++taken;
        HOLDS(fault.size() < 1500 && fault.find('\n') == std::string::npos);
    }
    HOLDS(taken == rules.size());
    const auto parsed = SenderTable::parse(rules.text(), {"f", "firm", domains});
    const auto *table = std::get_if<std::shared_ptr<const SenderTable>>(&parsed);
    HOLDS(table != nullptr && (*table)->size() == taken);
    const std::string whole = rules.text();
    HOLDS(whole.find('*') == std::string::npos && whole.find(" login=any ") == std::string::npos &&
          whole.find(" login=any\n") == std::string::npos);
}

} // namespace demail::fuzz
