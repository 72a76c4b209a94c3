// Tables that take De-Mails another way than to the relay, or a copy of them.
#include "message/ascii.hpp"
#include "programs/ctl_doctor_postfix.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace demail::ctl {

namespace {

constexpr const char *asked_user = "demail-doctor";
/// How many domains of the list a table of patterns is asked for.
constexpr std::size_t domains_asked = 8;
constexpr const char *aliases[] = {"virtual_alias_maps", "canonical_maps",
                                   "recipient_canonical_maps"};
constexpr const char *copies[] = {"sender_bcc_maps", "recipient_bcc_maps"};
/// transport_maps is asked for these.
std::vector<std::string> transport_keys(const PostfixView &view) {
    const std::string user = std::string(asked_user) + "@";
    std::vector<std::string> keys = {user + "de-mail.de", user + asked_user + ".de-mail.de",
                                     "de-mail.de", ".de-mail.de",
                                     std::string(asked_user) + ".de-mail.de"};
    std::size_t more = 0;
    for (const auto &[domain, state] : view.domains.all()) {
        if (below_de_mail(domain) || domain.starts_with('.')) continue;
        keys.insert(keys.end(), {user + domain, domain});
        if (++more == domains_asked) break;
    }
    return keys;
}

bool is_whole_address(std::string_view key) {
    return key.find('@') != std::string_view::npos && !key.starts_with('@');
}

std::vector<std::string> alias_keys(const PostfixView &view) {
    std::vector<std::string> keys;
    for (std::string &key : transport_keys(view))
        if (is_whole_address(key)) keys.insert(keys.end(), {key, key.substr(key.find('@'))});
    return keys;
}

bool is_our_map(const PostfixView &view, const std::string &element) {
    return element.starts_with("pipemap:") &&
           without_blanks(element).find(":" + without_blanks(view.wishes.domains) + ",") !=
               std::string::npos;
}

/// Of a key of transport_maps or an alias table: whether mail to a De-Mail address is looked up by
/// it before our map has its say.
bool takes_demail(const PostfixView &view, std::string_view key) {
    if (const auto at = key.rfind('@'); at != std::string_view::npos) key.remove_prefix(at + 1);
    return key.starts_with('.') ? view.domains.find(key.substr(1)).has_value()
                                : view.domains.find(key).has_value();
}

/// key and value of everything that is known of the table and is De-Mail's.
struct Taken {
    std::vector<std::pair<std::string, std::string>> entries;
    bool told = true;
};

Taken taken_by(const PostfixView &view, const std::string &element) {
    Taken taken;
    const auto found = view.tables.find(element);
    const bool patterns = TableName(element).of_patterns();
    if (found == view.tables.end()) return {{}, false};
    if (found->second.text && !patterns) {
        for (const TableEntry &one : entries_of(*found->second.text, false))
            if (takes_demail(view, ascii::lower(one.key)))
                taken.entries.emplace_back(one.key, one.value);
        return taken;
    }
    for (const auto &[key, answer] : found->second.answers) {
        if (patterns && !is_whole_address(key)) continue;
        if (!answer.told) taken.told = false;
        if (answer.value) taken.entries.emplace_back(key, *answer.value);
    }
    return taken;
}

void check_transport_maps(const PostfixView &view, Checks &checks) {
    const std::string where = view.directory + "/main.cf: transport_maps";
    const auto elements = list_elements(view.facts.value("transport_maps"));
    bool behind = false, good = true;
    for (const std::string &element : elements) {
        if (is_our_map(view, element)) {
            behind = true;
            continue;
        }
        const Taken taken = taken_by(view, element);
        for (const auto &[key, value] : taken.entries) {
            if (value.starts_with("demail:") || value == "demail") continue;
            // The same key is ours where our map stands first; a whole address is asked for first.
            if (behind && !is_whole_address(key) && view.domains.all().contains(key)) continue;
            good = false;
            const bool refused = value.starts_with("error:") || value.starts_with("retry:");
            checks.push_back(
                {"postfix", "transport_maps", Verdict::bad, where,
                 fmt::format("{} sends {} to \"{}\": {}", element, key, value,
                             refused ? "such De-Mails are refused"
                                     : "such De-Mails leave as plain mail"),
                 fmt::format("take De-Mail's domains out of {}{}", element,
                             TableName(element).of_patterns()
                                 ? "; a table of patterns is asked before domains, wherever it "
                                   "stands: let its patterns leave de-mail.de out"
                                 : "")});
            break;
        }
        if (taken.entries.empty() && !taken.told) {
            good = false;
            checks.push_back({"postfix", "transport_maps", Verdict::unknown, where,
                              element + " does not answer or may not be read: whether it takes "
                                        "De-Mails elsewhere is not told",
                              fmt::format("try: postmap -q {}@de-mail.de '{}'; it must not find "
                                          "anything",
                                          asked_user, element)});
        }
    }
    if (good && elements.size() > 1)
        checks.push_back({"postfix", "transport_maps", Verdict::good, where,
                          "no other table takes De-Mails", ""});
}

void check_aliases(const PostfixView &view, const char *parameter, Checks &checks) {
    const std::string where = view.directory + "/main.cf: " + parameter;
    Check check{"postfix", parameter, Verdict::good, where, "takes no De-Mail address", ""};
    for (const std::string &element : list_elements(view.facts.value(parameter))) {
        const Taken taken = taken_by(view, element);
        for (const auto &[key, value] : taken.entries)
            for (const std::string &to : list_elements(value)) {
                const Home home = home_of(view, to.starts_with('@') ? "x" + to : to);
                if (home == Home::here || home == Home::demail || !check.remedy.empty()) continue;
                check = {"postfix",
                         parameter,
                         home == Home::elsewhere ? Verdict::bad : Verdict::unknown,
                         where,
                         fmt::format("{} turns {} into {}: such mail leaves as plain mail", element,
                                     key, to),
                         fmt::format("take {} out of {}", key, element)};
            }
        if (!taken.told && taken.entries.empty() && check.remedy.empty())
            check = {"postfix",
                     parameter,
                     Verdict::unknown,
                     where,
                     element + " does not answer or may not be read: whether it turns De-Mail "
                               "addresses into others is not told",
                     fmt::format("try: postmap -q @de-mail.de '{}'; it must not find anything",
                                 element)};
    }
    checks.push_back(std::move(check));
}

void check_copies(const PostfixView &view, const char *parameter, Checks &checks) {
    bool any = false;
    for (const Setting &setting : settings_of(view, parameter))
        for (const std::string &element : list_elements(setting.value)) {
            any = true;
            Check check{"postfix",
                        parameter,
                        Verdict::good,
                        setting.where,
                        "copies go to mailboxes of this host",
                        ""};
            const auto found = view.tables.find(element);
            if (found == view.tables.end() || !found->second.text) {
                check.verdict = Verdict::unknown;
                check.found = element + " cannot be read: where a copy of a De-Mail's content goes "
                                        "is not told";
                check.remedy = "see that it names mailboxes of this host alone";
            } else {
                for (const TableEntry &one :
                     entries_of(*found->second.text, TableName(element).of_patterns())) {
                    const Home home = home_of(view, one.value);
                    if (home == Home::here || !check.remedy.empty()) continue;
                    check.verdict = home == Home::unknown ? Verdict::unknown : Verdict::bad;
                    check.found = fmt::format(
                        "{}: a copy of what {} names goes to {}{}", element, one.key, one.value,
                        home == Home::demail
                            ? ", a De-Mail address that no sender has named: it bounces"
                            : ": a De-Mail's content would leave as plain mail");
                    check.remedy = "let it name mailboxes of this host alone";
                }
            }
            checks.push_back(std::move(check));
        }
    if (!any)
        checks.push_back({"postfix", parameter, Verdict::good,
                          view.directory + "/main.cf: " + parameter, "none", ""});
}

} // namespace

std::vector<TableQuestion> tables_to_look_at(const PostfixView &view) {
    std::vector<TableQuestion> questions;
    for (const std::string &one : list_elements(view.facts.value("transport_maps")))
        if (!is_our_map(view, one)) questions.push_back({one, transport_keys(view)});
    for (const char *parameter : aliases)
        for (const std::string &one : list_elements(view.facts.value(parameter)))
            questions.push_back({one, alias_keys(view)});
    for (const char *parameter : copies)
        for (const Setting &setting : settings_of(view, parameter))
            for (const std::string &one : list_elements(setting.value))
                questions.push_back({one, {}});
    for (const UsedTable &one : action_tables(view))
        questions.push_back({one.element, {}});
    for (const std::string &one : tables_of_own_domains(view))
        questions.push_back({one, {}});
    return questions;
}

void check_routes(const PostfixView &view, Checks &checks) {
    check_transport_maps(view, checks);
    for (const char *parameter : aliases)
        check_aliases(view, parameter, checks);
    for (const char *parameter : copies)
        check_copies(view, parameter, checks);
}

} // namespace demail::ctl
