// What the relay's control socket says of submissions (demailctl(1), "JSON"); demailctl makes the
// same out of the journal itself where no relay runs. Never a subject, never content; of a
// private-id the gateway's part alone.
#pragma once

#include "journal/history.hpp"

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace demail {

/// How many submissions one answer lists.
inline constexpr std::size_t most_listed = 200;

/// Answers `list`, `show` and `trace`. Each takes the words of a request and throws
/// std::invalid_argument with a sentence where they are none, journal::Unavailable where the
/// journal is away.
class HistoryAnswers {
  public:
    using Json = nlohmann::ordered_json;
    using Words = std::vector<std::string>;

    /// `evidence`: the directory of the configuration.
    HistoryAnswers(journal::History &history, std::string evidence)
        : history_(history), evidence_(std::move(evidence)) {}

    /// STATE or "any", microseconds of --since, a limit, and where the last answer said to go on
    /// ("next"), if it did.
    [[nodiscard]] Json list(const Words &words) const;
    /// One submission: by a private-id, a beginning of one, or the provider's message id.
    [[nodiscard]] Json show(const Words &words) const;
    /// The hand-overs that a clue leads to, with all their submissions.
    [[nodiscard]] Json trace(const Words &words) const;

  private:
    struct Lead;
    [[nodiscard]] std::vector<Lead> leads(const std::string &text, bool to_one) const;
    [[nodiscard]] Json story(const Lead &lead, const journal::Story &story) const;
    [[nodiscard]] Json told(const journal::Told &told) const;

    journal::History &history_;
    std::string evidence_;
};

/// What happens next with a submission, and what a person has to do.
[[nodiscard]] std::string what_is_next(const journal::Submission &submission);

} // namespace demail
