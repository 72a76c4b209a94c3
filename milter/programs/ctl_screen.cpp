#include "programs/ctl_screen.hpp"

#include "base/log.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace demail::ctl {

namespace {

/// Columns of a terminal, as far as one character is one column.
std::size_t width(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0U) != 0x80;
    }));
}

const char *colour(Tone tone) {
    switch (tone) {
    case Tone::heading:
        return "\x1b[1m";
    case Tone::good:
        return "\x1b[32m";
    case Tone::warning:
        return "\x1b[33m";
    case Tone::bad:
        return "\x1b[31m";
    default:
        return "";
    }
}

std::string environment(const char *name) {
    const char *value = std::getenv(name);
    return value == nullptr ? "" : value;
}

} // namespace

std::string visible(std::string_view text) {
    // The log's escapes, less those that only its quotes need.
    const std::string escaped = log::escaped(text);
    std::string out;
    out.reserve(escaped.size());
    for (std::size_t i = 0; i < escaped.size(); ++i) {
        if (escaped[i] == '\\' && i + 1 < escaped.size() &&
            (escaped[i + 1] == '"' || escaped[i + 1] == '\\'))
            ++i;
        out += escaped[i];
    }
    return out;
}

std::string moment(long long unix_seconds) {
    if (unix_seconds <= 0) return "never";
    const auto time = static_cast<std::time_t>(unix_seconds);
    std::tm parts{};
    char text[40];
    if (::gmtime_r(&time, &parts) == nullptr ||
        std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts) == 0)
        return std::to_string(unix_seconds);
    return text;
}

Tone tone_of(Verdict verdict) noexcept {
    return verdict == Verdict::good  ? Tone::good
           : verdict == Verdict::bad ? Tone::bad
                                     : Tone::warning;
}

Screen Screen::of(int fd) {
    return Screen(::isatty(fd) == 1 && environment("NO_COLOR").empty() &&
                  environment("TERM") != "dumb");
}

std::string Screen::paint(std::string_view text, Tone tone) const {
    if (!colours_ || tone == Tone::plain || text.empty()) return std::string(text);
    return colour(tone) + std::string(text) + "\x1b[0m";
}

Table::Table(const std::vector<std::string> &headings) {
    if (headings.empty()) return;
    rows_.emplace_back();
    for (const std::string &heading : headings)
        rows_.back().emplace_back(heading, Tone::heading);
}

std::string Table::str(const Screen &screen) const {
    std::vector<std::size_t> widths;
    std::vector<std::vector<std::string>> texts;
    for (const auto &row : rows_) {
        texts.emplace_back();
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) {
            texts.back().push_back(visible(row[i].text));
            widths[i] = std::max(widths[i], width(texts.back().back()));
        }
    }
    std::string out;
    for (std::size_t r = 0; r < rows_.size(); ++r) {
        std::size_t pending = 0; // blanks that only a further text brings
        for (std::size_t i = 0; i < rows_[r].size(); ++i) {
            const std::string &text = texts[r][i];
            if (!text.empty()) {
                out.append(pending, ' ');
                pending = 0;
                out += screen.paint(text, rows_[r][i].tone);
            }
            pending += widths[i] - width(text) + 2;
        }
        out += '\n';
    }
    return out;
}

bool print(std::string_view text) {
    return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() &&
           std::fflush(stdout) == 0;
}

void complain(std::string_view sentence) {
    std::fputs(("demailctl: " + visible(sentence) + "\n").c_str(), stderr);
}

} // namespace demail::ctl
