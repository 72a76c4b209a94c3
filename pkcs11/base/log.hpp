// One line an event (contracts.md, "Log lines"): logfmt, every value quoted and escaped. To
// standard error when that is a terminal or when DEMAIL_LOG=stderr; else to the journal, with the
// same names as fields (DEMAIL_QUEUE_ID …), where one runs; else to syslog (facility mail).
// Thread-safe.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace demail::log {

enum class Level { error = 3, warning = 4, notice = 5, info = 6, debug = 7 };

using Field = std::pair<std::string_view, std::string_view>;

/// Names the program in every line and chooses the sink. Call once in main before any thread
/// starts.
void open(std::string_view program);

/// The same, but never to a terminal: for what a program does that must be on record while it
/// tells all else to the person who called it.
void open_record(std::string_view program);

/// Nothing is logged from now on: for a program that tells all to the person who called it. The
/// same restriction.
void silence();

/// `event` is one of contracts.md's names (`sealed`, `refused`, …) or a word of the same kind.
/// Never pass a PIN, a subject or content.
void event(Level level, std::string_view event, std::initializer_list<Field> fields);

/// A plain sentence: event=notice text="…".
void say(Level level, std::string_view sentence);

/// The line without its end, for tests: event=sealed queue_id="…" …
[[nodiscard]] std::string line(std::string_view event, std::initializer_list<Field> fields);

/// What stands between the quotes: quotes and backslashes behind a backslash; controls, invalid
/// UTF-8, what nobody sees and what turns the reading direction as \xNN.
[[nodiscard]] std::string escaped(std::string_view text);

} // namespace demail::log
