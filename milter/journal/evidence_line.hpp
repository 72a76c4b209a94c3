// The lines of attempts.jsonl: a JSON object each, enough to make the journal's rows anew. Pure,
// thread-safe.
//
//     {"at": …, "act": "submit", "handOver": {…}, "submission": {…}, "recipients": […],
//      "submitted": "submitted.eml"}
//     {"at": …, "act": "outcome", "account": …, "state": "accepted", "reply": {"code", "enhanced",
//      "text"}, …, "recipients": [those with a fate of their own], "request": "request.xml",
//      "detail": …, "notBefore": …, "never" or not there}
#pragma once

#include "journal/journal.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace demail::journal {

inline constexpr std::size_t longest_evidence_line = 16U << 20;

[[nodiscard]] std::string line_of_begin(const HandOver &hand_over, const Submission &submission,
                                        std::string_view submitted, Time at);
/// `request`: the file's name, "" where none went out.
[[nodiscard]] std::string line_of_end(const Submission &submission, std::string_view detail,
                                      std::string_view request, Time at);

/// What a host that only looked a submission up knows of it.
struct LookedUp {
    std::string account; ///< "" in lines of the first release
    State state = State::uncertain;
    Time at = 0;
    Time not_before = 0;
};

/// What the lines of one directory, in their order, say of its submission.
class EvidenceReader {
  public:
    /// A line that cannot be read (a crash cuts lines off) may have begun an attempt or ended one:
    /// what was deferred before it is uncertain.
    void read(std::string_view line);
    /// The same of lines that are not there to be read.
    void miss() noexcept;

    /// nullopt where no attempt was begun: then nothing was sent from here.
    [[nodiscard]] const std::optional<Kept> &told() const noexcept { return told_; }
    /// The last outcome of a submission that another host began.
    [[nodiscard]] const std::optional<LookedUp> &looked_up() const noexcept { return looked_up_; }

  private:
    std::optional<Kept> told_;
    std::optional<LookedUp> looked_up_;
};

} // namespace demail::journal
