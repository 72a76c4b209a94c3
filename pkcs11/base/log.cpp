#include "base/log.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <vector>

namespace demail::log {
namespace {

enum class Sink { none, standard_error, journal, syslog };

struct State {
    std::string program = "demail";
    Sink sink = Sink::standard_error;
};

/// Set once by open() before threads start, only read afterwards.
State &state() {
    static State one;
    return one;
}

bool journal_runs() {
    // sd_journal_sendv says 0 and drops the message where no journal listens.
    struct stat status {};
    return ::stat("/run/systemd/journal/socket", &status) == 0 && S_ISSOCK(status.st_mode);
}

unsigned char byte(std::string_view text, std::size_t at) {
    return static_cast<unsigned char>(text[at]);
}

struct Character {
    char32_t code = 0;
    std::size_t length = 0; ///< 0: not UTF-8
};

/// One character of UTF-8 (RFC 3629: shortest form, no surrogates, nothing above U+10FFFF).
Character decode(std::string_view text) {
    const unsigned char first = byte(text, 0);
    if (first < 0x80) return {first, 1};
    std::size_t length = 0;
    char32_t code = 0, least = 0;
    if ((first & 0xe0) == 0xc0) {
        length = 2, code = first & 0x1fU, least = 0x80;
    } else if ((first & 0xf0) == 0xe0) {
        length = 3, code = first & 0x0fU, least = 0x800;
    } else if ((first & 0xf8) == 0xf0) {
        length = 4, code = first & 0x07U, least = 0x10000;
    } else {
        return {};
    }
    if (text.size() < length) return {};
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(text, i) & 0xc0) != 0x80) return {};
        code = code << 6 | (byte(text, i) & 0x3fU);
    }
    if (code < least || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return {};
    return {code, length};
}

/// Controls, line separators, bidirectional overrides, and what nobody sees (soft hyphen, zero
/// widths, variation selectors, tags): they make a line read otherwise than it is.
bool deceives(char32_t code) {
    return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0xad ||
           (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
           (code >= 0x2060 && code <= 0x206f) || (code >= 0xfe00 && code <= 0xfe0f) ||
           code == 0xfeff || (code >= 0xe0000 && code <= 0xe0fff);
}

void append_hex(std::string &out, unsigned char value) {
    static constexpr char digits[] = "0123456789abcdef";
    out += "\\x";
    out += digits[value >> 4];
    out += digits[value & 15];
}

void to_standard_error(const std::string &text) {
    // One write, so that lines of several threads and programs do not run into each other.
    const std::string whole = state().program + ": " + text + "\n";
    while (::write(STDERR_FILENO, whole.data(), whole.size()) < 0 && errno == EINTR) {
    }
}

void to_journal(Level level, const std::string &text, std::string_view name,
                std::initializer_list<Field> fields) {
    std::vector<std::string> entries;
    entries.reserve(fields.size() + 4);
    entries.push_back("MESSAGE=" + text);
    entries.push_back("PRIORITY=" + std::to_string(static_cast<int>(level)));
    entries.push_back("SYSLOG_IDENTIFIER=" + state().program);
    entries.push_back("DEMAIL_EVENT=" + std::string(name));
    for (const auto &[key, value] : fields) {
        std::string entry = "DEMAIL_";
        for (const char c : key)
            entry += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        entry += '=';
        entry += value;
        entries.push_back(std::move(entry));
    }
    std::vector<iovec> vectors;
    vectors.reserve(entries.size());
    for (std::string &entry : entries)
        vectors.push_back({entry.data(), entry.size()});
    if (sd_journal_sendv(vectors.data(), static_cast<int>(vectors.size())) < 0)
        to_standard_error(text);
}

} // namespace

namespace {

void open_sink(std::string_view program, bool terminal) {
    state().program = program;
    const char *wish = std::getenv("DEMAIL_LOG");
    if ((wish != nullptr && std::string_view(wish) == "stderr") || terminal) {
        state().sink = Sink::standard_error;
    } else if (journal_runs()) {
        state().sink = Sink::journal;
    } else {
        state().sink = Sink::syslog;
        ::openlog(state().program.c_str(), LOG_PID, LOG_MAIL);
    }
}

} // namespace

void open(std::string_view program) {
    open_sink(program, ::isatty(STDERR_FILENO) == 1);
}

void open_record(std::string_view program) {
    open_sink(program, false);
}

void silence() {
    state().sink = Sink::none;
}

std::string escaped(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const Character next = decode(text);
        const std::size_t length = next.length == 0 ? 1 : next.length;
        if (next.length == 0 || deceives(next.code)) {
            for (std::size_t i = 0; i < length; ++i)
                append_hex(out, byte(text, i));
        } else {
            if (next.code == '"' || next.code == '\\') out += '\\';
            out += text.substr(0, length);
        }
        text.remove_prefix(length);
    }
    return out;
}

std::string line(std::string_view event, std::initializer_list<Field> fields) {
    std::string out = "event=";
    out += event;
    for (const auto &[name, value] : fields) {
        out += ' ';
        out += name;
        out += "=\"";
        out += escaped(value);
        out += '"';
    }
    return out;
}

void event(Level level, std::string_view name, std::initializer_list<Field> fields) {
    const std::string text = line(name, fields);
    switch (state().sink) {
    case Sink::none:
        break;
    case Sink::standard_error:
        to_standard_error(text);
        break;
    case Sink::journal:
        to_journal(level, text, name, fields);
        break;
    case Sink::syslog:
        ::syslog(static_cast<int>(level), "%s", text.c_str());
        break;
    }
}

void say(Level level, std::string_view sentence) {
    event(level, "notice", {{"text", sentence}});
}

} // namespace demail::log
