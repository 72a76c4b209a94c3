#include "broker/latch.hpp"

#include "base/digest.hpp"
#include "base/file.hpp"
#include "base/handle.hpp"
#include "base/log.hpp"
#include "broker/words.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <system_error>
#include <utility>

namespace demail::broker {
namespace {

constexpr std::size_t largest_latch = 8192;

[[noreturn]] void fail(const std::string &path) {
    throw std::system_error(errno, std::generic_category(), path);
}

/// A card's serial comes from the card: letters and digits, whatever it says.
std::string plain(std::string_view text) {
    std::string name;
    for (const char c : text.substr(0, 64))
        name += (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')
                    ? std::string(1, c)
                    : fmt::format("_{:02x}", static_cast<unsigned char>(c));
    return name;
}

constexpr std::pair<Latch::State, const char *> words_of_states[] = {
    {Latch::State::trying, "trying"},
    {Latch::State::refused, "refused"},
    {Latch::State::outdated, "outdated"}};

const char *word_of(Latch::State state) {
    for (const auto &[one, text] : words_of_states)
        if (one == state) return text;
    return "";
}

std::optional<Latch::State> state_of(std::string_view text) {
    for (const auto &[state, one] : words_of_states)
        if (one == text) return state;
    return std::nullopt;
}

std::string day_and_hour(long long unix_seconds) {
    if (unix_seconds == 0) return "at a time that is not known";
    const auto time = static_cast<std::time_t>(unix_seconds);
    std::tm parts{};
    ::gmtime_r(&time, &parts);
    char text[40];
    std::strftime(text, sizeof text, "on %Y-%m-%d at %H:%M UTC", &parts);
    return text;
}

} // namespace

std::string described(const Latch &latch) {
    const char *what = latch.state == Latch::State::trying
                           ? "being tried when the daemon ended, begun"
                       : latch.state == Latch::State::refused ? "refused by the card"
                                                              : "changed";
    return fmt::format("{} {} ({})", what, day_and_hour(latch.since), latch.source);
}

Latches::Latches(std::string directory) : directory_(std::move(directory)) {
    if (::mkdir(directory_.c_str(), 0700) != 0 && errno != EEXIST) fail(directory_);
}

std::string Latches::path(const std::string &card, std::string_view pin) const {
    return fmt::format("{}/{}-{}", directory_, plain(card), plain(pin));
}

std::optional<Latch> Latches::find(const std::string &card, std::string_view pin) const {
    try {
        const auto text = read_file(path(card, pin), largest_latch);
        if (!text) return std::nullopt;
        if (auto latch = parse_latch(*text)) return latch;
        return Latch{Latch::State::refused, 0, -1, 0, "a latch file that cannot be understood"};
    } catch (const std::system_error &) {
        return Latch{Latch::State::refused, 0, -1, 0, "a latch file that cannot be read"};
    }
}

void Latches::set(const std::string &card, std::string_view pin, const Latch &latch) {
    replace_file(path(card, pin), latch_text(latch), 0600);
}

void Latches::clear(const std::string &card, std::string_view pin) {
    const std::string file = path(card, pin);
    if (::unlink(file.c_str()) != 0 && errno != ENOENT) fail(file);
    const Fd directory(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory || ::fsync(directory.get()) != 0) fail(directory_);
}

std::string latch_text(const Latch &latch) {
    return fmt::format(
        "state=\"{}\" reference=\"{:02x}\" tries=\"{}\" since=\"{}\" source=\"{}\"\n",
        word_of(latch.state), latch.reference & 0xff, latch.tries, latch.since,
        log::escaped(latch.source));
}

std::optional<Latch> parse_latch(std::string_view text) {
    const auto words = parse_words(text);
    if (!words) return std::nullopt;
    const auto state = state_of(word(*words, "state").value_or(""));
    const auto reference = word(*words, "reference");
    const auto tries = number(*words, "tries");
    const auto since = number(*words, "since");
    const auto source = word(*words, "source");
    if (!state || !reference || !tries || !since || !source) return std::nullopt;
    const auto byte = from_hex(*reference);
    if (!byte || byte->size() != 1) return std::nullopt;
    return Latch{*state, static_cast<unsigned char>(byte->front()), static_cast<int>(*tries),
                 *since, *source};
}

} // namespace demail::broker
