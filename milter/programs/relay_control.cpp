#include "programs/relay_control.hpp"

#include "programs/history_answers.hpp"

#include <chrono>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace demail {

namespace {

using nlohmann::json;

std::string text(const json &value) {
    return value.dump(-1, ' ', true, json::error_handler_t::replace);
}

json domains_of(const relay::DomainKeeper &domains) {
    const relay::DomainStatus status = domains.status();
    return {{"active", status.active},          {"ended", status.ended},
            {"waiting", status.waiting},        {"hinted", status.hinted},
            {"refused", status.refused},        {"alarm", status.alarm},
            {"hintsAlarm", status.hints_alarm}, {"refreshed", status.refreshed}};
}

json accounts_of(const relay::Service &service) {
    json accounts = json::array();
    for (const auto &[name, account] : service.settings()->accounts) {
        const auto suspended = account->suspended(), resting = account->resting();
        accounts.push_back({{"name", name},
                            {"provider", account->provider()},
                            {"suspended", suspended ? json(*suspended) : json()},
                            {"resting", resting ? json(*resting) : json()}});
    }
    return accounts;
}

const std::string &only(const std::vector<std::string> &arguments) {
    if (arguments.size() != 1) throw std::invalid_argument("this command takes one word");
    return arguments.front();
}

} // namespace

std::map<std::string, ControlCommand, std::less<>>
control_commands(relay::Service &service, relay::DomainKeeper &domains, journal::Journal &journal) {
    using Arguments = std::vector<std::string>;
    const auto history = [&](HistoryAnswers::Json (HistoryAnswers::*answer)(const Arguments &)
                                 const) -> ControlCommand {
        return {false, [&, answer](const Arguments &arguments) {
                    const HistoryAnswers answers(journal.history(),
                                                 service.settings()->configuration->evidence);
                    return (answers.*answer)(arguments).dump(-1, ' ', true,
                                                             json::error_handler_t::replace);
                }};
    };
    return {
        {"status",
         {false,
          [&](const Arguments &) {
              json submissions = json::object();
              const auto day_ago = std::chrono::system_clock::now() - std::chrono::hours(24);
              const auto since =
                  std::chrono::duration_cast<std::chrono::microseconds>(day_ago.time_since_epoch());
              for (const auto &[state, count] : journal.counts(since.count()))
                  submissions[std::string(journal::name(state))] = count;
              return text({{"accounts", accounts_of(service)},
                           {"domains", domains_of(domains)},
                           {"submissions", submissions}});
          }}},
        {"domains", {false, [&](const Arguments &) { return text(domains_of(domains)); }}},
        {"list", history(&HistoryAnswers::list)},
        {"show", history(&HistoryAnswers::show)},
        {"trace", history(&HistoryAnswers::trace)},
        {"domains-refresh",
         {true,
          [&](const Arguments &) {
              domains.refresh();
              return text({{"done", "the providers are being asked"}});
          }}},
        {"domains-accept",
         {true,
          [&](const Arguments &arguments) {
              domains.accept(only(arguments));
              return text({{"done", "accepted; the providers are being asked"}});
          }}},
        {"domains-forget",
         {true,
          [&](const Arguments &arguments) {
              domains.forget(only(arguments));
              return text({{"done", "forgotten: mail to it goes to the Internet again"}});
          }}},
        {"resume",
         {true,
          [&](const Arguments &arguments) {
              const auto settings = service.settings();
              const auto account = settings->accounts.find(only(arguments));
              if (account == settings->accounts.end())
                  throw std::invalid_argument("there is no account \"" + arguments.front() + "\"");
              account->second->resume();
              return text({{"done", "the account is used again"}});
          }}},
    };
}

} // namespace demail
