// What the fuzz targets share. A target is one function over one input:
// libfuzzer.cpp hands it what libFuzzer makes up, corpus_test.cpp the files below
// tests/fuzz/corpus, so that every build has what fuzzing found as a regression test. A target
// states properties; HOLDS is never compiled out.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>

namespace demail::fuzz {

/// Says what did not hold and aborts: the fuzzer keeps the input.
[[noreturn]] void broken(const char *property, const char *file, int line) noexcept;

/// Takes an input apart from its front.
class Input {
  public:
    explicit Input(std::string_view bytes) noexcept : rest_(bytes) {}
    /// The next byte; 0 behind the end.
    std::uint8_t byte() noexcept {
        if (rest_.empty()) return 0;
        const auto value = static_cast<std::uint8_t>(rest_.front());
        rest_.remove_prefix(1);
        return value;
    }
    /// Up to the next `mark`, which is dropped, or to the end.
    std::string_view until(char mark) noexcept {
        const std::string_view part = rest_.substr(0, rest_.find(mark));
        rest_.remove_prefix(part.size() < rest_.size() ? part.size() + 1 : part.size());
        return part;
    }
    [[nodiscard]] std::string_view rest() const noexcept { return rest_; }

  private:
    std::string_view rest_;
};

using Target = void(std::string_view input);

/// Each target stands in a file of its own name.
const std::map<std::string_view, Target *> &targets();

} // namespace demail::fuzz

#define HOLDS(property)                                                                            \
    do {                                                                                           \
        if (!(property)) ::demail::fuzz::broken(#property, __FILE__, __LINE__);                    \
    } while (false)
