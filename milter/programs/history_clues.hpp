// What a person may call a submission by. Pure, thread-safe.
#pragma once

#include "journal/history.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace demail {

struct NamedClue {
    journal::Clue clue;
    std::string text;
};

/// All that the text may be: a Postfix queue id, a Message-ID of the sender's mail or of the
/// provider, with its brackets or without, a private-id, its "g1-…" part, or the beginning of its
/// hex digits. Throws std::invalid_argument with a sentence where a beginning is too short.
[[nodiscard]] std::vector<NamedClue> clues_of(std::string_view text);

/// "queue id", "Message-ID", "message id of the provider", "private-id".
[[nodiscard]] std::string_view name(journal::Clue clue) noexcept;

} // namespace demail
