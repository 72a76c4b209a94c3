#include "programs/ctl_selftest.hpp"

#include "daemon/exit.hpp"
#include "filter/domain_list.hpp"
#include "programs/ctl_postfix_facts.hpp"
#include "programs/ctl_postfix_list.hpp"
#include "programs/ctl_screen.hpp"
#include "programs/ctl_selftest_ways.hpp"
#include "programs/ctl_setup.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>

namespace demail::ctl {

namespace {

using nlohmann::ordered_json;
using Outcome = Probe::Outcome;

/// %D: the domain. Each is read as the plain one by smtp(8), or by the host that it goes to.
constexpr const char *anywhere[] = {
    "probe@%D",
    "probe%%D@relay.example",
    "\"probe@%D\"@relay.example",
    "%D!probe@relay.example",
    "probe%%D%inner.example@relay.example",
    "probe@\xc2\xad%D",         // soft hyphen
    "probe@\xe2\x80\x8b%D",     // zero-width space
    "probe@%D\xef\xb8\x8f",     // variation selector
    "probe@%D\xe3\x80\x82",     // ideographic full stop
    "probe@\xf0\x9d\x92\xb6.%D" // mathematical letter, a sub-domain
};
constexpr const char *strangely_spelt[] = {
    "probe@leak-probe.de\xef\xbc\x8dmail.de", // full-width hyphen
    "probe@leak-probe.de-mail\xe3\x80\x82"
    "de", // ideographic full stop
    "probe@leak-probe.de-mail\xef\xbc\x8e"
    "de", // full-width full stop
    "probe@leak-probe.de-mail\xef\xbd\xa1"
    "de",                                                // half-width ideographic full stop
    "probe@leak-probe.\xef\xbd\x84\xef\xbd\x85-mail.de", // full-width letters
    "probe@leak-probe.de-mai\xe2\x93\x9b.de",            // circled letter
    "probe@leak-probe.de-mai\xe2\x85\xbc.de",            // Roman numeral
    "probe@leak-probe.de-\xe2\x81\xa0mail.de",           // word joiner
    "probe@leak-probe.de-\xf3\xa0\x84\x80mail.de",       // variation selector of plane 14
    "probe%leak-probe.de\xef\xbc\x8dmail.de@relay.example",
};

std::string filled(std::string_view form, std::string_view domain) {
    std::string text(form);
    const auto place = text.find("%D");
    if (place != std::string::npos) text.replace(place, 2, domain);
    return text;
}

Outcome outcome_of(std::string_view answer) {
    if (answer.starts_with("error:") || answer.starts_with("retry:")) return Outcome::refused;
    return answer.starts_with("demail:") ? Outcome::relay : Outcome::leaves;
}

std::string_view word(Outcome outcome) {
    switch (outcome) {
    case Outcome::refused:
        return "refused";
    case Outcome::relay:
        return "relay";
    case Outcome::leaves:
        return "leaves";
    default:
        return "unknown";
    }
}

Tone tone(Outcome outcome) {
    if (outcome == Outcome::leaves) return Tone::bad;
    return outcome == Outcome::unknown ? Tone::warning : Tone::good;
}

struct Count {
    std::size_t probes = 0, leaks = 0, unknown = 0;
    [[nodiscard]] int exit_code() const {
        return leaks > 0 ? exit_bad : unknown > 0 ? exit_unknown : exit_good;
    }
};

Count count_of(const std::vector<Probe> &spellings, const std::vector<WayReport> &ways) {
    Count count;
    for (const Probe &one : spellings) {
        ++count.probes;
        count.leaks += one.outcome == Outcome::leaves ? 1 : 0;
        count.unknown += one.outcome == Outcome::unknown ? 1 : 0;
    }
    for (const WayReport &one : ways) {
        count.probes += one.probes;
        count.leaks += one.leaks.size();
        count.unknown += one.unknown.empty() ? 0 : 1;
    }
    return count;
}

std::string conclusion(const Count &count, bool sent) {
    const char *verb = sent ? "left or would leave" : "would leave";
    if (count.leaks > 0)
        return fmt::format("{} of {} {} to the Internet: see demailctl doctor, and transport_maps "
                           "in demailctl setup --print.\n",
                           count.leaks, count.probes, verb);
    if (count.unknown > 0)
        return "Nothing seen leaves, but not all can be told: see above, and demailctl doctor.\n";
    return fmt::format("None of {} {} to the Internet.\n", count.probes, verb);
}

std::string what_became(const WayReport &way) {
    std::string text;
    const auto add = [&](std::size_t count, std::string_view words) {
        if (count > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, words);
    };
    add(way.refused, "refused");
    add(way.bounced, "bounced");
    add(way.waiting, "held back (4xx)");
    add(way.kept, "kept on this host");
    add(way.leaks.size(), "LEFT");
    if (!way.unknown.empty()) text += (text.empty() ? "" : "; ") + way.unknown;
    return text.empty() ? "nothing became of them" : text;
}

std::string table_of_ways(const std::vector<WayReport> &ways, const Screen &screen) {
    Table table({"WAY IN", "PROBES", "WHAT BECAME OF THEM"});
    for (const WayReport &one : ways) {
        const Tone tone = !one.leaks.empty()    ? Tone::bad
                          : one.unknown.empty() ? Tone::good
                                                : Tone::warning;
        table.add({one.name, std::to_string(one.probes), Cell(what_became(one), tone)});
        for (const Delivery &leak : one.leaks)
            table.add({"", "",
                       fmt::format("{}: {}({}) gave it to {}: {}", leak.to,
                                   leak.of_bounce ? "its bounce: " : "", leak.program, leak.relay,
                                   leak.status)});
    }
    return table.str(screen);
}

ordered_json json_of(const std::vector<WayReport> &ways) {
    ordered_json list = ordered_json::array();
    for (const WayReport &one : ways) {
        ordered_json leaks = ordered_json::array();
        for (const Delivery &leak : one.leaks)
            leaks.push_back({{"address", leak.to},
                             {"agent", leak.program},
                             {"relay", leak.relay},
                             {"status", leak.status},
                             {"bounce", leak.of_bounce}});
        list.push_back({{"way", one.name},
                        {"probes", one.probes},
                        {"refused", one.refused},
                        {"bounced", one.bounced},
                        {"waiting", one.waiting},
                        {"kept", one.kept},
                        {"leaks", leaks},
                        {"unknown", one.unknown}});
    }
    return list;
}

std::string table_of_spellings(const std::vector<Probe> &spellings, const Screen &screen) {
    Table table({"ADDRESS", "BY TRANSPORT_MAPS"});
    for (const Probe &one : spellings)
        table.add({Cell(one.address), Cell(std::string(word(one.outcome)), tone(one.outcome))});
    return table.str(screen);
}

ordered_json json_of(const std::vector<Probe> &spellings) {
    ordered_json list = ordered_json::array();
    for (const Probe &one : spellings)
        list.push_back({{"address", one.address},
                        {"outcome", word(one.outcome)},
                        {"table", one.table},
                        {"answer", one.answer}});
    return list;
}

/// A De-Mail domain that strange-address does not know by itself; "" where there is none.
std::string domain_elsewhere(const Configuration &configuration) {
    const auto set = filter::read_domain_list(configuration.domains);
    if (!set) return "";
    for (const auto &[domain, state] : set->all())
        if (!below_de_mail(domain) && !domain.starts_with('.')) return domain;
    return "";
}

} // namespace

std::vector<std::string> keys_of(const std::string &address) {
    std::vector<std::string> keys{address};
    std::string key = address.substr(std::min(address.rfind('@'), address.size() - 1) + 1);
    while (!key.empty()) {
        keys.push_back(key);
        const auto dot = key.find('.', 1);
        key = dot == std::string::npos ? "" : key.substr(dot);
    }
    return keys;
}

Probe judge_probe(const std::string &address, const std::vector<std::string> &tables,
                  const Lookup &lookup) {
    for (const std::string &one : keys_of(address))
        for (const std::string &table : tables) {
            if (one != address && TableName(table).of_patterns()) continue;
            const auto answer = lookup(table, one);
            if (!answer.told) return {address, Outcome::unknown, table, ""};
            if (answer.value) return {address, outcome_of(*answer.value), table, *answer.value};
        }
    return {address, Outcome::leaves, "", ""};
}

std::vector<std::string> probe_addresses(const std::string &other) {
    std::vector<std::string> addresses(std::begin(strangely_spelt), std::end(strangely_spelt));
    for (const std::string &domain : {std::string("leak-probe.de-mail.de"), other})
        for (const char *form : anywhere) {
            // The sub-domain of another domain is not De-Mail.
            if (domain.empty() || (domain == other && std::string_view(form).ends_with(".%D")))
                continue;
            addresses.push_back(filled(form, domain));
        }
    return addresses;
}

int selftest_leak(const Configuration &configuration, std::string directory, bool tables_alone,
                  bool json) {
    if (directory.empty()) directory = configuration.postfix_configuration;
    std::vector<Probe> spellings;
    std::vector<WayReport> ways;
    try {
        PostfixView view;
        view.facts = ask_postfix(directory);
        view.directory = view.facts.value("config_directory");
        view.wishes = wishes_of(configuration, view.facts.value("queue_directory"));
        const auto tables = list_elements(view.facts.value("transport_maps"));
        const auto addresses = probe_addresses(domain_elsewhere(configuration));
        std::vector<std::string> keys;
        for (const std::string &address : addresses)
            for (std::string &key : keys_of(address))
                keys.push_back(std::move(key));
        std::map<std::string, TableFacts::Answers, std::less<>> answers;
        for (const std::string &table : tables)
            answers[table] = ask_table(directory, table, keys);
        const auto lookup = [&](const std::string &table, const std::string &key) {
            return answers[table][key];
        };
        for (const std::string &address : addresses)
            spellings.push_back(judge_probe(address, tables, lookup));
        if (!tables_alone) ways = send_probes(view, addresses);
    } catch (const std::exception &error) {
        complain(error.what());
        return exit_unavailable;
    }
    const Count count = count_of(spellings, ways);
    const Screen screen = Screen::of(STDOUT_FILENO);
    const std::string text =
        json ? ordered_json{{"probes", json_of(spellings)},
                            {"ways", json_of(ways)},
                            {"leaks", count.leaks},
                            {"unknown", count.unknown}}
                       .dump(2, ' ', true, ordered_json::error_handler_t::replace) +
                   "\n"
             : table_of_spellings(spellings, screen) + "\n" +
                   (tables_alone ? "" : table_of_ways(ways, screen) + "\n") +
                   conclusion(count, !tables_alone);
    if (!print(text)) return exit_unavailable;
    return count.exit_code();
}

} // namespace demail::ctl
