#include "crypto/refused_pins.hpp"

#include "base/file.hpp"
#include "crypto/open_token.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>
#include <system_error>

namespace demail::crypto {
namespace {

constexpr std::string_view begun_once = "begun", begun_twice = "begun twice", refusal = "refused";

/// Letters and digits stand for themselves: a token's label is a file name's part here.
std::string in_file_name(std::string_view text) {
    std::string name;
    for (const char c : text) {
        const bool plain =
            (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        name += plain ? std::string(1, c) : fmt::format("%{:02x}", static_cast<unsigned char>(c));
    }
    return name;
}

struct Note {
    std::string outcome, origin;
};

/// A file that cannot be understood is taken for a refusal.
Note read_note(const std::string &text, std::string_view origin) {
    std::istringstream lines(text);
    Note note;
    if (!std::getline(lines, note.outcome) || !std::getline(lines, note.origin) ||
        (note.outcome != begun_once && note.outcome != begun_twice && note.outcome != refusal))
        return {std::string(refusal), std::string(origin)};
    return note;
}

} // namespace

std::string RefusedPins::file_of(const TokenIdentity &token) const {
    return fmt::format("{}/{}-{}", directory_, in_file_name(token.label),
                       in_file_name(token.serial));
}

void RefusedPins::begin(const TokenIdentity &token, const std::string &path,
                        std::string_view origin) const {
    if (directory_.empty()) return;
    const auto stay_out = [](const std::string &why) {
        return TokenUnavailable(TokenUnavailable::Reason::locked, why);
    };
    const std::string file = file_of(token);
    try {
        if (::mkdir(directory_.c_str(), 0700) != 0 && errno != EEXIST)
            throw std::system_error(errno, std::generic_category(), directory_);
        bool second = false;
        if (const auto text = read_file(file, 64UL * 1024)) {
            const Note note = read_note(*text, origin);
            if (note.origin == origin && note.outcome != begun_once)
                throw stay_out(fmt::format(
                    "token \"{}\" was given the PIN of {} before and {}, so it is not tried again: "
                    "a person must set the PIN file right, or remove {} to have it tried once more",
                    token.label, path,
                    note.outcome == refusal ? "has refused it" : "did not answer, twice", file));
            second = note.origin == origin;
        }
        write(token, path, origin, second ? begun_twice : begun_once);
    } catch (const std::system_error &error) {
        throw stay_out(fmt::format("token \"{}\" is given no PIN, since it could not be written "
                                   "down if it refused it: {}",
                                   token.label, error.what()));
    }
}

void RefusedPins::refused(const TokenIdentity &token, const std::string &path,
                          std::string_view origin) const {
    if (!directory_.empty()) write(token, path, origin, refusal);
}

void RefusedPins::forget(const TokenIdentity &token) const noexcept {
    if (!directory_.empty()) (void)::unlink(file_of(token).c_str());
}

void RefusedPins::write(const TokenIdentity &token, const std::string &path,
                        std::string_view origin, std::string_view outcome) const {
    std::string shown = path;
    for (char &c : shown)
        if (c == '\n') c = '?';
    replace_file(file_of(token), fmt::format("{}\n{}\n{}\n", outcome, origin, shown), 0600);
}

} // namespace demail::crypto
