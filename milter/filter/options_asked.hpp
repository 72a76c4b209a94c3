// What the sender asks for by x-de-mail- fields and subject flags, judged against the rule
// (contracts.md, "The seal"; TR-01201 3.4 3.1). Pure, thread-safe.
#pragma once

#include "message/header.hpp"
#include "message/options.hpp"
#include "message/rights.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

namespace demail::filter {

/// Why a message is refused: one sentence, what happened and what to do.
struct Objection {
    std::string sentence;
};

struct SubjectFlags;

/// The options in force for the De-Mail address `sender`: the rule's defaults, switched off by
/// "no", with what fields and flags add. The topmost field of a name counts. An objection where one
/// is misspelt, not allowed or no value, or does not go with the others.
[[nodiscard]] std::variant<OptionSet, Objection> options_asked(const HeaderFields &fields,
                                                               const SubjectFlags &flags,
                                                               const SenderRule &rule,
                                                               const Address &sender);

/// edit_distance() up to which a word was meant as the other one.
inline constexpr std::size_t tolerated_distance = 2;

/// True where a field's name was meant as one of the options but is not spelt so: the letters of
/// one with other hyphens, or at most two letters off. Fields of the provider are not.
[[nodiscard]] bool misspelt_option(std::string_view field_name);

} // namespace demail::filter
