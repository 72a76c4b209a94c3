// [seal] key_file, for the one who seals and for the one who checks seals.
#pragma once

#include "message/seal.hpp"

#include <string>
#include <variant>

namespace demail {

/// The keys in the file, or a sentence that names it and says what is wrong. Thread-safe.
[[nodiscard]] std::variant<SealKeys, std::string> read_seal_keys(const std::string &file);

} // namespace demail
