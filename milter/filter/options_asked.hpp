// What the sender asks for by x-de-mail- fields, judged against the rule (contracts.md, "The seal";
// TR-01201 3.4 3.1). Pure, thread-safe.
#pragma once

#include "message/header.hpp"
#include "message/options.hpp"
#include "message/rights.hpp"

#include <string>
#include <string_view>
#include <variant>

namespace demail::filter {

/// Why a message is refused: one sentence, what happened and what to do.
struct Objection {
    std::string sentence;
};

/// The options in force: the rule's defaults, switched off by "no", with what the fields add. The
/// topmost field of a name counts. An objection where one is misspelt, not allowed or no value.
[[nodiscard]] std::variant<OptionSet, Objection> options_asked(const HeaderFields &fields,
                                                               const SenderRule &rule);

/// True where a field's name was meant as one of the options but is not spelt so: the letters of
/// one with other hyphens, or at most two letters off. Fields of the provider are not.
[[nodiscard]] bool misspelt_option(std::string_view field_name);

} // namespace demail::filter
