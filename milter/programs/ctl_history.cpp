#include "programs/ctl_history.hpp"

#include "base/word.hpp"
#include "daemon/exit.hpp"
#include "programs/ctl_history_text.hpp"
#include "programs/ctl_journal.hpp"
#include "programs/ctl_relay.hpp"
#include "programs/ctl_screen.hpp"
#include "programs/ctl_time.hpp"
#include "programs/history_answers.hpp"
#include "programs/history_clues.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <stdexcept>

namespace demail::ctl {

using nlohmann::json;

namespace {

/// A request has 4096 octets, a private-id 1024 characters of which each may stand as %XX.
constexpr std::size_t longest_word = 3500;

/// What the relay answers, or where none runs what demailctl reads for itself.
class Source {
  public:
    explicit Source(const Configuration &configuration) : configuration_(configuration) {}

    RelayAnswer ask(const std::string &command, const std::vector<std::string> &words) {
        if (!journal_) {
            std::vector<std::string> request{command};
            request.insert(request.end(), words.begin(), words.end());
            RelayAnswer answer = ask_relay(configuration_, request);
            if (answer.kind != RelayAnswer::Kind::not_there) return answer;
            try {
                journal_ = open_journal(configuration_);
            } catch (const std::exception &error) {
                answer.sentence += std::string("; ") + error.what();
                return answer;
            }
        }
        try {
            return {RelayAnswer::Kind::answered, answer_of(command, words), {}};
        } catch (const std::invalid_argument &error) {
            return {RelayAnswer::Kind::refused, {}, error.what()};
        } catch (const journal::Unavailable &error) {
            return {RelayAnswer::Kind::not_reached, {}, error.what()};
        }
    }

  private:
    json answer_of(const std::string &command, const std::vector<std::string> &words) {
        const HistoryAnswers answers(journal_->history(), configuration_.evidence);
        if (command == "list") return answers.list(words);
        return command == "show" ? answers.show(words) : answers.trace(words);
    }

    const Configuration &configuration_;
    std::unique_ptr<journal::Journal> journal_;
};

std::string dumped(const json &value) {
    return value.dump(2, ' ', true, json::error_handler_t::replace) + "\n";
}

int failed(const RelayAnswer &answer, bool as_json) {
    if (as_json)
        print(dumped({{"error", answer.sentence}}));
    else
        complain(answer.sentence);
    return answer.kind == RelayAnswer::Kind::refused ? exit_bad : exit_unavailable;
}

int usage(const std::string &sentence) {
    complain(sentence);
    return exit_usage;
}

Microseconds now() {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

bool is_state(const std::string &word) {
    const auto states = {journal::State::submitting, journal::State::accepted,
                         journal::State::refused,    journal::State::deferred,
                         journal::State::uncertain,  journal::State::abandoned};
    return std::any_of(states.begin(), states.end(),
                       [&](journal::State one) { return journal::name(one) == word; });
}

int tell(const Configuration &configuration, const HistoryWords &words, bool as_json,
         const std::string &command) {
    const std::string word = as_word(words.id);
    if (word.size() > longest_word) return usage("this is longer than any id");
    Source source(configuration);
    RelayAnswer answer = source.ask(command, {word});
    if (answer.kind != RelayAnswer::Kind::answered) return failed(answer, as_json);
    const bool found = !answer.value.value("found", json::array()).empty();
    if (as_json) {
        if (!print(dumped(answer.value))) return exit_unavailable;
    } else if (found) {
        if (!print(stories_text(answer.value, command == "trace", Screen::of(STDOUT_FILENO))))
            return exit_unavailable;
    } else {
        std::fputs(("demailctl: the journal knows no submission by \"" + visible(words.id) +
                    "\"; what the milter refused or let pass is in Postfix's log alone\n")
                       .c_str(),
                   stderr);
    }
    return found ? exit_good : exit_bad;
}

} // namespace

int list_submissions(const Configuration &configuration, const HistoryWords &words, bool as_json) {
    if (!words.state.empty() && !is_state(words.state))
        return usage("there is no state \"" + words.state +
                     "\": submitting, accepted, refused, deferred, uncertain, abandoned");
    const auto since =
        words.since.empty() ? std::optional<Microseconds>(0) : read_since(words.since, now());
    if (!since)
        return usage("\"" + words.since + "\" is no time: 2h, 3d, 2026-11-29, 2026-11-29T14:30");
    Source source(configuration);
    json all{{"submissions", json::array()}, {"more", false}};
    json next;
    do {
        const std::size_t wanted = std::min(words.limit - all["submissions"].size(), most_listed);
        std::vector<std::string> request{words.state.empty() ? "any" : words.state,
                                         std::to_string(std::max<Microseconds>(*since, 0)),
                                         std::to_string(wanted)};
        if (next.is_string()) request.push_back(next.get<std::string>());
        RelayAnswer answer = source.ask("list", request);
        if (answer.kind != RelayAnswer::Kind::answered) return failed(answer, as_json);
        for (json &one : answer.value["submissions"])
            all["submissions"].push_back(std::move(one));
        all["more"] = answer.value.value("more", false);
        next = answer.value.value("next", json());
    } while (all["more"] && next.is_string() && all["submissions"].size() < words.limit);
    return print(as_json ? dumped(all) : list_text(all, Screen::of(STDOUT_FILENO)))
               ? exit_good
               : exit_unavailable;
}

int show_submission(const Configuration &configuration, const HistoryWords &words, bool as_json) {
    return tell(configuration, words, as_json, "show");
}

int trace_submissions(const Configuration &configuration, const HistoryWords &words, bool as_json) {
    return tell(configuration, words, as_json, "trace");
}

} // namespace demail::ctl
