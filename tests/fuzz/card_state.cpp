// What lies in demail-cardd's state directory, or in a copy of it that somebody sends in: latches
// and the audit log.
#include "base/log.hpp"
#include "broker/audit.hpp"
#include "broker/latch.hpp"
#include "broker/words.hpp"
#include "fuzz.hpp"

#include <algorithm>
#include <string>

namespace demail::fuzz {

void card_state(std::string_view text) {
    if (const auto words = broker::parse_words(text)) {
        std::string again;
        for (const auto &[name, value] : *words)
            again += (again.empty() ? "" : " ") + name + "=\"" + log::escaped(value) + "\"";
        const auto same = broker::parse_words(again);
        HOLDS(same.has_value() && *same == *words);
    }
    if (const auto latch = broker::parse_latch(text)) {
        const std::string written = broker::latch_text(*latch);
        const auto again = broker::parse_latch(written);
        HOLDS(again.has_value() && broker::latch_text(*again) == written);
        HOLDS(!broker::described(*latch).empty());
    }
    const broker::AuditCheck check = broker::check_audit_text(text, {});
    // Each line that is good is one, and who is told of a fault is told where.
    HOLDS(check.head.lines <=
          static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n')));
    HOLDS(check.good == check.sentence.empty());
}

} // namespace demail::fuzz
