// attempts.jsonl, of a tree that was copied, restored or cut off.
#include "journal/evidence_line.hpp"

#include "fuzz.hpp"

namespace demail::fuzz {

void evidence_line(std::string_view text) {
    journal::EvidenceReader reader;
    for (Input input(text); !input.rest().empty();)
        reader.read(input.until('\n'));
    if (!reader.told()) return;
    // What was understood is written and read again as the same.
    const journal::Submission &submission = reader.told()->submission;
    journal::EvidenceReader again;
    const auto without_end = [](std::string line) {
        line.pop_back();
        return line;
    };
    const std::string begun = journal::line_of_begin(reader.told()->hand_over, submission,
                                                     "submitted.eml", submission.changed);
    again.read(without_end(begun));
    HOLDS(again.told().has_value());
    HOLDS(journal::line_of_begin(again.told()->hand_over, again.told()->submission, "submitted.eml",
                                 submission.changed) == begun);
    const std::string ended = journal::line_of_end(submission, "", "", submission.changed);
    again.read(without_end(ended));
    HOLDS(journal::line_of_end(again.told()->submission, "", "", submission.changed) == ended);
}

} // namespace demail::fuzz
