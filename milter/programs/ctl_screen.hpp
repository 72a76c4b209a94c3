// How demailctl writes to a person: columns, colours on a terminal alone, nothing from outside that
// could steer the terminal. Pure but for Screen::of.
#pragma once

#include "programs/ctl_verdict.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace demail::ctl {

/// Text from outside as a person may see it: controls, bytes that are not UTF-8, what nobody sees
/// and what turns the reading direction as \xNN.
[[nodiscard]] std::string visible(std::string_view text);

/// 2026-03-31 12:00:00 UTC; "never" for 0.
[[nodiscard]] std::string moment(long long unix_seconds);

enum class Tone { plain, heading, good, warning, bad };
[[nodiscard]] Tone tone_of(Verdict verdict) noexcept;

class Screen {
  public:
    explicit Screen(bool colours) noexcept : colours_(colours) {}
    /// Colours where `fd` is a terminal that has them and NO_COLOR (no-color.org) is not set.
    static Screen of(int fd);
    [[nodiscard]] std::string paint(std::string_view text, Tone tone) const;

  private:
    bool colours_;
};

struct Cell {
    Cell(std::string words, Tone how = Tone::plain) // NOLINT: a text is a cell
        : text(std::move(words)), tone(how) {}
    Cell(const char *words) : text(words) {} // NOLINT
    std::string text;
    Tone tone = Tone::plain;
};

/// Rows of cells under headings; makes each text visible().
class Table {
  public:
    explicit Table(const std::vector<std::string> &headings = {});
    void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
    /// A line for each row, its columns two blanks apart, none after the last.
    [[nodiscard]] std::string str(const Screen &screen) const;

  private:
    std::vector<std::vector<Cell>> rows_;
};

/// Writes to standard output; false where that fails.
bool print(std::string_view text);

/// Writes "demailctl: " and the sentence, made visible(), to standard error.
void complain(std::string_view sentence);

} // namespace demail::ctl
