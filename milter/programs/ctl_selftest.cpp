#include "programs/ctl_selftest.hpp"

#include "daemon/exit.hpp"
#include "filter/domain_list.hpp"
#include "programs/ctl_postfix_facts.hpp"
#include "programs/ctl_postfix_list.hpp"
#include "programs/ctl_screen.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
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

std::string conclusion(std::size_t all, std::ptrdiff_t leaks, std::ptrdiff_t unknown) {
    if (leaks > 0)
        return fmt::format("{} of {} spellings would leave to the Internet: see transport_maps in "
                           "demailctl setup --print.\n",
                           leaks, all);
    if (unknown > 0)
        return fmt::format("Of {} of {} spellings it cannot be told: a table of transport_maps "
                           "does not answer, and Postfix answers 4xx; see demailctl doctor.\n",
                           unknown, all);
    return fmt::format("None of {} spellings would leave.\n", all);
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

Probe judge_probe(const std::string &address, const std::vector<std::string> &tables,
                  const Lookup &lookup) {
    std::vector<std::string> keys{address};
    std::string key = address.substr(std::min(address.rfind('@'), address.size() - 1) + 1);
    while (!key.empty()) {
        keys.push_back(key);
        const auto dot = key.find('.', 1);
        key = dot == std::string::npos ? "" : key.substr(dot);
    }
    for (const std::string &one : keys)
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

int selftest_leak(const Configuration &configuration, std::string directory, bool json) {
    if (directory.empty()) directory = configuration.postfix_configuration;
    std::vector<std::string> tables;
    try {
        tables = list_elements(ask_postfix(directory).value("transport_maps"));
    } catch (const std::exception &error) {
        std::fputs(("demailctl: " + visible(error.what()) + "\n").c_str(), stderr);
        return exit_unavailable;
    }
    const auto lookup = [&](const std::string &table, const std::string &key) {
        return ask_table(directory, table, key);
    };
    std::vector<Probe> probes;
    for (const std::string &address : probe_addresses(domain_elsewhere(configuration)))
        probes.push_back(judge_probe(address, tables, lookup));
    const auto count = [&](Outcome outcome) {
        return std::count_if(probes.begin(), probes.end(),
                             [&](const Probe &one) { return one.outcome == outcome; });
    };
    const auto leaks = count(Outcome::leaves), unknown = count(Outcome::unknown);
    std::string text;
    if (json) {
        ordered_json list = ordered_json::array();
        for (const Probe &one : probes)
            list.push_back({{"address", one.address},
                            {"outcome", word(one.outcome)},
                            {"table", one.table},
                            {"answer", one.answer}});
        text = ordered_json{{"probes", list}, {"leaks", leaks}, {"unknown", unknown}}.dump(
                   2, ' ', true, ordered_json::error_handler_t::replace) +
               "\n";
    } else {
        Table table({"OUTCOME", "ADDRESS"});
        for (const Probe &one : probes)
            table.add({Cell(std::string(word(one.outcome)), tone(one.outcome)), Cell(one.address)});
        text = table.str(Screen::of(STDOUT_FILENO)) + conclusion(probes.size(), leaks, unknown);
    }
    if (!print(text)) return exit_unavailable;
    return leaks > 0 ? exit_bad : unknown > 0 ? exit_unknown : exit_good;
}

} // namespace demail::ctl
