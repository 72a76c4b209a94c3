#include "programs/ctl_test_address.hpp"

#include "admin/ended_providers_file.hpp"
#include "daemon/exit.hpp"
#include "filter/recipient.hpp"
#include "filter/session.hpp"
#include "programs/ctl_block.hpp"
#include "programs/ctl_screen.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

namespace demail::ctl {

namespace {

using filter::RecipientKind;
using nlohmann::ordered_json;
using Kind = AddressAnswer::Kind;

class NoEvents final : public filter::EventSink {
  public:
    void event(log::Level, std::string_view, std::initializer_list<log::Field>) override {}
};

std::int64_t now() {
    return static_cast<std::int64_t>(std::time(nullptr));
}

/// cleanup(8) passes sendmail(1) on with a queue id, the loopback address and port 0; smtpd(8) has
/// no queue id at MAIL.
filter::Client client_of(const AddressQuestion &question) {
    if (question.local) return {"127.0.0.1", "0", "", "none"};
    return {question.client, "25", question.login, ""};
}

std::optional<Reply> milters_reply(const AddressQuestion &question,
                                   const filter::CurrentSettings &settings, RecipientKind kind) {
    NoEvents events;
    const filter::Surroundings around{settings, events, [] { return now(); }};
    filter::Session session(around);
    session.mail(question.from, client_of(question));
    auto reply = session.recipient(question.recipient, "");
    if (reply || !question.local || kind == RecipientKind::demail) return reply;
    // sendmail(1) hears of its recipients at the end of the header.
    auto after = session.end_of_header("");
    if (auto *held = std::get_if<Reply>(&after)) return std::move(*held);
    return std::nullopt;
}

void find_rule(const AddressQuestion &question, const SenderRules &rules, AddressAnswer &answer) {
    const filter::Client client = client_of(question);
    auto right = rules
                     .find({Address::parse(question.from), std::string(client.login),
                            IpAddress::parse(client.address), question.local})
                     .right;
    if (!right) return;
    answer.rule = right->rule;
    answer.sender = std::move(right->sender);
    if (!answer.rule->file.empty()) return;
    for (const AccountRules &account : rules.accounts())
        if (account.account == answer.rule->account)
            answer.number = static_cast<std::size_t>(answer.rule.get() - account.rules->data()) + 1;
}

std::string_view word(Kind kind) {
    switch (kind) {
    case Kind::may:
        return "may";
    case Kind::refused:
        return "refused";
    case Kind::not_now:
        return "not-now";
    default:
        return "not-de-mail";
    }
}

std::string option_names(const OptionSet &options) {
    return options.empty() ? "none" : options.str();
}

std::string as_json(const AddressAnswer &answer, bool observing) {
    ordered_json whole{{"recipient", answer.recipient}, {"verdict", word(answer.kind)}};
    whole["deMail"] = answer.demail ? ordered_json(*answer.demail) : ordered_json();
    whole["sentence"] = answer.sentence;
    whole["reply"] = !answer.reply ? ordered_json()
                                   : ordered_json{{"code", answer.reply->code},
                                                  {"enhanced", answer.reply->enhanced},
                                                  {"text", answer.reply->text}};
    whole["account"] = answer.rule ? ordered_json(answer.rule->account) : ordered_json();
    const bool in_file = answer.rule && !answer.rule->file.empty();
    whole["rule"] = answer.number > 0 ? ordered_json(answer.number) : ordered_json();
    whole["file"] = in_file ? ordered_json(answer.rule->file) : ordered_json();
    whole["line"] = in_file ? ordered_json(answer.rule->line) : ordered_json();
    whole["sender"] = answer.sender ? ordered_json(answer.sender->lower()) : ordered_json();
    whole["defaults"] = answer.rule ? answer.rule->defaults.str() : "";
    whole["allow"] = answer.rule ? answer.rule->allow.str() : "";
    whole["block"] = answer.block ? json_of(*answer.block) : ordered_json();
    whole["mode"] = observing ? "observe" : "enforce";
    return whole.dump(2, ' ', true, ordered_json::error_handler_t::replace) + "\n";
}

std::string place_of(const AddressAnswer &answer) {
    if (!answer.rule->file.empty())
        return fmt::format("{}:{}", answer.rule->file, answer.rule->line);
    return fmt::format("number {} of the account", answer.number);
}

std::string as_text(const AddressAnswer &answer, bool observing, const Screen &screen) {
    Table table;
    table.add({"recipient", answer.recipient});
    table.add({"De-Mail", !answer.demail ? "not an address" : *answer.demail ? "yes" : "no"});
    if (answer.kind == Kind::may) {
        table.add({"may be sent", {"yes", Tone::good}});
    } else if (answer.kind != Kind::not_demail) {
        table.add({"may be sent", {answer.kind == Kind::not_now ? "not now" : "no", Tone::bad}});
    }
    if (answer.reply)
        table.add({"milter", fmt::format("{} {} {}", answer.reply->code, answer.reply->enhanced,
                                         answer.reply->text)});
    if (!answer.sentence.empty()) table.add({"", answer.sentence});
    if (answer.block)
        table.add({"blocked", name_of(*answer.block) + " is " + story_of(*answer.block)});
    if (answer.rule != nullptr) {
        table.add({"account", answer.rule->account});
        table.add({"rule", fmt::format("{}: {}", place_of(answer), rule_text(*answer.rule))});
        table.add({"De-Mail sender", answer.sender->lower()});
        table.add({"options", "by default: " + option_names(answer.rule->defaults)});
        table.add({"", "allowed besides: " + option_names(answer.rule->allow)});
    }
    if (observing)
        table.add({"mode", {"observe", Tone::warning}, "the milter logs this and changes nothing"});
    return table.str(screen);
}

} // namespace

std::string rule_text(const SenderRule &rule) {
    std::string text = fmt::format("from = \"{}\", as = \"{}\"", rule.from.str(), rule.as.str());
    if (!rule.login.empty()) text += fmt::format(", login = \"{}\"", rule.login);
    if (!rule.networks.empty()) text += ", from its network";
    if (rule.local) text += ", local";
    if (rule.automatic) text += ", automatic";
    if (rule.delegate)
        text += fmt::format(", delegate = \"{}\", delegate_as = \"{}\"", rule.delegate->lower(),
                            rule.delegate_as->lower());
    return text;
}

AddressAnswer judge_address(const AddressQuestion &question, const Configuration &configuration,
                            std::shared_ptr<filter::DomainList> domains,
                            const EndedProviders &ended) {
    const auto rules = Senders(configuration, nullptr).now();
    auto settings = std::make_shared<filter::Settings>();
    settings->rules = [rules] { return rules; };
    settings->domains = domains;
    settings->blocks = std::make_shared<BlocksFile>(configuration.blocks);
    const auto blocks = settings->blocks->now();
    settings->ended = ended;
    const auto reading =
        filter::read_recipient(question.recipient, *domains->now(), ended, day_of(now()));
    AddressAnswer answer;
    answer.recipient = reading.address ? reading.address->str() : question.recipient;
    if (reading.kind != RecipientKind::malformed)
        answer.demail = reading.kind != RecipientKind::ordinary;
    if (reading.kind == RecipientKind::ended || reading.kind == RecipientKind::hinted)
        answer.relays = filter::refusal(reading);
    answer.reply =
        milters_reply(question, filter::CurrentSettings(std::move(settings)), reading.kind);
    if (reading.kind == RecipientKind::demail) find_rule(question, *rules, answer);
    if (answer.rule && blocks)
        if (const Block *found =
                blocks->find({answer.rule, *answer.sender}, *Address::parse(question.from)))
            answer.block = *found;
    if (answer.reply) {
        answer.kind = answer.reply->code / 100 == 4 ? Kind::not_now : Kind::refused;
        if (reading.kind == RecipientKind::hinted)
            answer.sentence = "its state in demailctl domains is hinted; taken from the file of "
                              "[hints] watched, it is ordinary mail again";
    } else if (reading.kind == RecipientKind::ordinary) {
        answer.kind = Kind::not_demail;
        answer.sentence = "the domain is in no De-Mail list: this is ordinary mail";
    } else if (answer.rule && !blocks) { // from sendmail(1): the milter leaves it to the relay
        answer.kind = Kind::not_now;
        answer.sentence = "the list of blocks cannot be read: the message waits in the queue";
    } else if (answer.block) {
        answer.kind = Kind::refused;
        answer.sentence = "demail-relay bounces it: " + refusal(*answer.block).text;
    } else if (answer.rule != nullptr) {
        answer.kind = Kind::may;
        answer.sentence = answer.rule->delegate
                              ? fmt::format("if From holds {}, Sender {}, and Reply-To one of them",
                                            answer.rule->from.str(), answer.rule->delegate->lower())
                              : "if From, Sender and Reply-To fit the same rule";
    } else {
        answer.kind = Kind::refused;
        answer.sentence =
            reading.kind == RecipientKind::demail
                ? "no rule with local = true fits this sender: Postfix takes the message without a "
                  "seal, demail-relay bounces it (5.7.0)"
            : answer.relays
                ? "Postfix takes the message from sendmail(1), demail-relay bounces it: " +
                      answer.relays->text
                : "Postfix takes the message from sendmail(1) without a seal and bounces it";
    }
    return answer;
}

int test_address(const AddressQuestion &question, const Configuration &configuration, bool json) {
    const EndedProvidersRead read = read_ended_providers(configuration);
    for (const ConfigurationFault &fault : read.faults)
        std::fputs((visible(fault.str()) + "\n").c_str(), stderr);
    if (!read.faults.empty()) return exit_configuration;
    const AddressAnswer answer =
        judge_address(question, configuration,
                      std::make_shared<filter::DomainList>(configuration.domains), read.providers);
    if (!print(json ? as_json(answer, configuration.observe)
                    : as_text(answer, configuration.observe, Screen::of(STDOUT_FILENO))))
        return exit_unavailable;
    switch (answer.kind) {
    case Kind::may:
        return exit_good;
    case Kind::refused:
        return exit_bad;
    case Kind::not_now:
        return exit_again;
    default:
        return exit_unknown;
    }
}

} // namespace demail::ctl
