// What demailctl says of a checked thing, and the exit code that follows.
#pragma once

#include "daemon/exit.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace demail::ctl {

/// In ascending order of weight: something bad counts more than something that cannot be told.
enum class Verdict { good, unknown, bad };

[[nodiscard]] constexpr std::string_view word(Verdict verdict) noexcept {
    return verdict == Verdict::good ? "good" : verdict == Verdict::bad ? "bad" : "unknown";
}

[[nodiscard]] constexpr int exit_of(Verdict verdict) noexcept {
    return verdict == Verdict::good ? exit_good : verdict == Verdict::bad ? exit_bad : exit_unknown;
}

[[nodiscard]] constexpr Verdict worse(Verdict a, Verdict b) noexcept {
    return std::max(a, b);
}

/// One checked thing.
struct Finding {
    std::string name;
    Verdict verdict = Verdict::good;
    std::string sentence;
};

} // namespace demail::ctl
