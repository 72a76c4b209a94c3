// pin status, card status, card probe, card audit: looking costs no try.
#include "base/certificate_time.hpp"
#include "broker/audit.hpp"
#include "broker/certificate_ends.hpp"
#include "daemon/exit.hpp"
#include "programs/ctl_card_daemon.hpp"
#include "programs/ctl_screen.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <ctime>
#include <exception>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

namespace demail::ctl {
namespace {

using nlohmann::ordered_json;
using Condition = wire::PinCondition;

const char *word_of(Condition condition) {
    switch (condition) {
    case Condition::usable:
        return "usable";
    case Condition::low:
        return "low";
    case Condition::final_try:
        return "final-try";
    case Condition::blocked:
        return "blocked";
    case Condition::null_pin:
        return "null-pin";
    case Condition::unknown:
        break;
    }
    return "unknown";
}

Cell condition_cell(const wire::PinState &pin) {
    switch (pin.condition) {
    case Condition::usable:
        return {"usable", Tone::good};
    case Condition::low:
        return {"tries are gone", Tone::warning};
    case Condition::final_try:
        return {"last try", Tone::bad};
    case Condition::blocked:
        return {"blocked", Tone::bad};
    case Condition::null_pin:
        return {"never set", Tone::warning};
    case Condition::unknown:
        break;
    }
    return {"not told", Tone::warning};
}

void print_json(const ordered_json &value) {
    print(value.dump(2, ' ', true, ordered_json::error_handler_t::replace) + "\n");
}

ordered_json json_of(const wire::PinStates &states) {
    ordered_json pins = ordered_json::array();
    for (const wire::PinState &pin : states.pins)
        pins.push_back(
            {{"name", pin.name},
             {"label", pin.label},
             {"condition", word_of(pin.condition)},
             {"triesLeft", pin.tries_left ? ordered_json(*pin.tries_left) : ordered_json(nullptr)},
             {"guardsKeys", pin.guards_keys},
             {"unlocked", pin.held},
             {"latched", pin.latched},
             {"latchedBy", pin.latched_by}});
    return {{"card", states.serial}, {"label", states.label}, {"pins", std::move(pins)}};
}

/// The key whose certificates end first.
struct FirstEnd {
    std::string key;
    std::time_t end = 0;
};
using FirstEnds = std::map<std::string, FirstEnd>; ///< by card

/// Of the cards that are there; one that goes meanwhile is left out.
FirstEnds first_ends(CardDaemon &daemon, const wire::StatusReport &report) {
    FirstEnds ends;
    for (const wire::TokenStatus &one : report.tokens) {
        const auto asked = daemon.ask(wire::ListObjects{one.token.serial});
        const auto *reply = std::get_if<wire::Reply>(&asked);
        const auto *list = reply ? std::get_if<wire::ObjectList>(&reply->body) : nullptr;
        if (list == nullptr) continue;
        for (const wire::Key &key : list->keys) {
            const auto end = broker::end_of_key(key.id, list->certificates);
            FirstEnd &first = ends[one.token.serial];
            if (end && (first.end == 0 || *end < first.end)) first = {key.label, *end};
        }
    }
    return ends;
}

Cell end_cell(const FirstEnd &first) {
    if (first.end == 0) return {"", Tone::plain};
    const long days = broker::days_between(std::time(nullptr), first.end);
    return {fmt::format("{} ({})", date_text(first.end), first.key), days < 8     ? Tone::bad
                                                                     : days <= 60 ? Tone::warning
                                                                                  : Tone::plain};
}

ordered_json json_of(const wire::StatusReport &report, FirstEnds ends) {
    ordered_json cards = ordered_json::array();
    for (const wire::TokenStatus &one : report.tokens)
        cards.push_back({{"card", one.token.serial},
                         {"label", one.token.label},
                         {"reader", one.token.reader},
                         {"present", one.token.present},
                         {"unlocked", one.token.pin.held},
                         {"pinLocked", one.token.pin.locked},
                         {"sentence", one.sentence},
                         {"signatures", one.signatures},
                         {"failures", one.failures},
                         {"heals", one.heals},
                         {"waiting", one.waiting},
                         {"firstEnd", date_text(ends[one.token.serial].end)},
                         {"firstEndOf", ends[one.token.serial].key}});
    return {{"version", report.program_version},
            {"started", report.started},
            {"auditLines", report.audit_lines},
            {"auditHead", hex(report.audit_head)},
            {"cards", std::move(cards)}};
}

Cell state_of(const wire::TokenStatus &one) {
    if (!one.token.present) return {"not there", Tone::bad};
    if (one.token.pin.held) return {"unlocked", Tone::good};
    return {"locked", Tone::warning};
}

} // namespace

int show_pins(const CardWords &words) {
    CardDaemon daemon(words);
    const auto asked = daemon.ask(wire::PinStatus{words.card});
    if (const auto *end = std::get_if<ExitCode>(&asked)) return end->code;
    const auto &reply = std::get<wire::Reply>(asked);
    const auto *states = std::get_if<wire::PinStates>(&reply.body);
    if (reply.rv != wire::rv_ok || states == nullptr) {
        complain(reply.sentence);
        return exit_bad;
    }
    if (words.json) {
        print_json(json_of(*states));
        return exit_good;
    }
    tell(fmt::format("Card {} ({})", states->serial, states->label));
    Table table({"PIN", "", "state", "tries left", "held", "remark"});
    for (const wire::PinState &pin : states->pins) {
        std::string remark = pin.latched       ? "not tried without you: " + pin.latched_by
                             : pin.guards_keys ? "the keys' PIN"
                                               : "";
        table.add({pin.name, pin.label, condition_cell(pin),
                   pin.tries_left ? std::to_string(*pin.tries_left) : std::string("-"),
                   pin.held ? "yes" : "no", std::move(remark)});
    }
    print(table.str(Screen::of(STDOUT_FILENO)));
    return exit_good;
}

int show_cards(const CardWords &words) {
    CardDaemon daemon(words);
    const auto asked = daemon.ask(wire::Status{});
    if (const auto *end = std::get_if<ExitCode>(&asked)) return end->code;
    const auto &reply = std::get<wire::Reply>(asked);
    const auto *report = std::get_if<wire::StatusReport>(&reply.body);
    if (reply.rv != wire::rv_ok || report == nullptr) {
        complain(reply.sentence);
        return exit_bad;
    }
    FirstEnds ends = first_ends(daemon, *report);
    if (words.json) {
        print_json(json_of(*report, std::move(ends)));
        return exit_good;
    }
    tell(fmt::format("demail-cardd {}, since {}; audit log: {} lines", report->program_version,
                     moment(report->started), report->audit_lines));
    Table table({"card", "label", "state", "signatures", "failed", "healed", "waiting",
                 "first certificate ends", "remark"});
    for (const wire::TokenStatus &one : report->tokens)
        table.add({one.token.serial, one.token.label, state_of(one), std::to_string(one.signatures),
                   std::to_string(one.failures), std::to_string(one.heals),
                   std::to_string(one.waiting), end_cell(ends[one.token.serial]), one.sentence});
    print(report->tokens.empty() ? "No card has been seen.\n"
                                 : table.str(Screen::of(STDOUT_FILENO)));
    return exit_good;
}

int probe_card(const CardWords &words) {
    CardDaemon daemon(words);
    const auto asked = daemon.ask(wire::Probe{words.reader});
    if (const auto *end = std::get_if<ExitCode>(&asked)) return end->code;
    const auto &reply = std::get<wire::Reply>(asked);
    const auto *report = std::get_if<wire::ProbeReport>(&reply.body);
    if (reply.rv != wire::rv_ok || report == nullptr) {
        complain(reply.sentence);
        return exit_bad;
    }
    std::string_view rest = report->text;
    std::string out;
    while (!rest.empty()) {
        const std::size_t end = rest.find('\n');
        out += visible(rest.substr(0, end)) + "\n";
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    return print(out) ? exit_good : exit_unavailable;
}

int check_audit_log(const CardWords &words) {
    const broker::AuditCheck check = broker::check_audit(words.state);
    if (words.json)
        print_json({{"good", check.good},
                    {"lines", check.head.lines},
                    {"head", hex(view(check.head.hash))},
                    {"sentence", check.sentence}});
    else if (check.good)
        tell(fmt::format("{} lines, each follows from the one before. The last one's hash is {}; "
                         "compare it with demail-cardd's last line in the journal.",
                         check.head.lines, hex(view(check.head.hash))));
    else
        complain(check.sentence);
    return check.good ? exit_good : exit_bad;
}

} // namespace demail::ctl
