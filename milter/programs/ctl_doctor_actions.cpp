// Actions in header checks and access tables that take De-Mails elsewhere.
#include "message/ascii.hpp"
#include "programs/ctl_doctor_postfix.hpp"

#include <fmt/format.h>

#include <set>

namespace demail::ctl {

namespace {

constexpr const char *checked_headers[] = {"header_checks",        "mime_header_checks",
                                           "nested_header_checks", "body_checks",
                                           "milter_header_checks", "smtpd_milter_maps"};
constexpr const char *restriction_lists[] = {
    "smtpd_client_restrictions",     "smtpd_helo_restrictions",      "smtpd_sender_restrictions",
    "smtpd_relay_restrictions",      "smtpd_recipient_restrictions", "smtpd_data_restrictions",
    "smtpd_end_of_data_restrictions"};

void check_action(const PostfixView &view, const UsedTable &used, const TableEntry &entry,
                  Checks &checks) {
    const auto blank = entry.value.find_first_of(" \t");
    const std::string action = ascii::lower(entry.value.substr(0, blank));
    std::string argument;
    if (blank != std::string::npos) {
        const auto start = entry.value.find_first_not_of(" \t", blank);
        if (start != std::string::npos) argument = entry.value.substr(start);
    }
    const TableName table(used.element);
    const std::string where =
        table.name.starts_with('/') ? fmt::format("{}:{}", table.name, entry.line) : used.where;
    if (used.parameter == "smtpd_milter_maps") {
        checks.push_back({"postfix", used.parameter, Verdict::bad, where,
                          fmt::format("clients from {} get \"{}\" instead of smtpd_milters",
                                      entry.key, entry.value),
                          "take the line out, or let our milter be the last of it"});
    } else if (action == "filter") {
        check_filter(view, checks, "FILTER in " + used.parameter, where, argument);
    } else if (action == "redirect" || action == "bcc") {
        const bool copied = action == "bcc";
        const Home home = copied ? home_of(view, argument) : Home::elsewhere;
        const bool harmless = home == Home::here;
        checks.push_back({"postfix", (copied ? "BCC in " : "REDIRECT in ") + used.parameter,
                          harmless                ? Verdict::good
                          : home == Home::unknown ? Verdict::unknown
                                                  : Verdict::bad,
                          where,
                          fmt::format("what {} fits {} to {}: a De-Mail too", entry.key,
                                      copied ? "is copied" : "goes", argument),
                          harmless ? "" : "take the line out, or let it leave De-Mails out"});
    } else if (used.parameter == "milter_header_checks" && action != "dunno" &&
               ascii::lower(entry.key).find("demail") != std::string::npos) {
        checks.push_back(
            {"postfix", used.parameter, Verdict::bad, where,
             fmt::format("{} fits the seal that the milter adds: {}", entry.key, entry.value),
             "take the line out"});
    }
}

} // namespace

std::vector<UsedTable> action_tables(const PostfixView &view) {
    std::vector<UsedTable> used;
    for (const char *parameter : checked_headers)
        for (const Setting &one : settings_of(view, parameter))
            for (const std::string &element : list_elements(one.value))
                used.push_back({one.where, parameter, element});
    std::vector<std::string> lists(std::begin(restriction_lists), std::end(restriction_lists));
    for (const std::string &one : list_elements(view.facts.value("smtpd_restriction_classes")))
        lists.push_back(one);
    for (const std::string &parameter : lists)
        for (const Setting &one : settings_of(view, parameter)) {
            const auto elements = list_elements(one.value);
            for (std::size_t i = 0; i + 1 < elements.size(); ++i)
                if (elements[i].starts_with("check_") && elements[i].ends_with("_access"))
                    used.push_back({one.where, parameter, elements[i + 1]});
        }
    return used;
}

void check_actions(const PostfixView &view, Checks &checks) {
    std::set<std::string> seen;
    const std::size_t before = checks.size();
    for (const UsedTable &used : action_tables(view)) {
        if (!seen.insert(used.element).second) continue;
        const auto found = view.tables.find(used.element);
        if (found == view.tables.end() || !found->second.text) {
            checks.push_back({"postfix", "actions in " + used.parameter, Verdict::unknown,
                              used.where,
                              used.element + " cannot be read as text: whether a FILTER, REDIRECT "
                                             "or BCC in it takes De-Mails elsewhere is not told",
                              "see that it has none for De-Mails"});
            continue;
        }
        for (const TableEntry &entry :
             entries_of(*found->second.text, TableName(used.element).of_patterns()))
            check_action(view, used, entry, checks);
    }
    if (checks.size() == before)
        checks.push_back({"postfix", "actions", Verdict::good, view.directory + "/main.cf",
                          "no FILTER, REDIRECT or BCC in header checks and access tables", ""});
}

} // namespace demail::ctl
