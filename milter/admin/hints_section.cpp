#include "admin/hints_section.hpp"

#include <utility>

namespace demail {

void read_hints(FaultList &faults, const toml::table &table, Configuration &configuration) {
    Section section(faults, table, "[hints]");
    HintsConfiguration hints;
    if (const auto file = section.path("watched"))
        hints.watched = file->text;
    else if (!section.has("watched"))
        section.fault(section.at(), "[hints] does not say watched: the file of the domains that "
                                    "DNS is asked for.");
    if (const auto file = section.path("file")) hints.file = file->text;
    if (hints.file == hints.watched)
        section.fault(section.at(), "watched and file in [hints] must be two files: one is yours, "
                                    "the other is written by demail-directory.");
    if (const auto seconds = section.integer("refresh", 60, 7 * 86400))
        hints.refresh = std::chrono::seconds(*seconds);
    section.finish();
    configuration.hints = std::move(hints);
}

} // namespace demail
