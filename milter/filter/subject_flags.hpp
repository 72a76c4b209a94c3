// Options that are asked for by flags in the Subject, as NoSpamProxy's users write them:
// "[Personal] Hello", "Hello [Versandbestätigung] [Persönlich]". Pure, thread-safe.
#pragma once

#include "filter/options_asked.hpp"
#include "message/options.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace demail::filter {

struct SubjectFlags {
    /// By option: the flag as a sentence may show it, "" where it is not asked for.
    std::array<std::string_view, all_options.size()> flags{};
    std::optional<std::string> rest; ///< the value without the flags, where there is one
};

/// Reads the Subject's value (all behind the colon). Brackets at the start and at the end count,
/// one behind the other; case and blanks do not. Several flags may stand in one pair of brackets,
/// with , ; + & / | or nothing between. Other brackets are no flags and stay. An objection where
/// brackets hold a flag and something else, or a word that is nearly a flag: who writes so asks for
/// something that he would not get.
[[nodiscard]] std::variant<SubjectFlags, Objection> read_subject_flags(std::string_view value);

} // namespace demail::filter
