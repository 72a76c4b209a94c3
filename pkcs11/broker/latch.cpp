#include "broker/latch.hpp"

#include "base/file.hpp"
#include "base/handle.hpp"
#include "base/log.hpp"
#include "broker/words.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace demail::broker {
namespace {

constexpr std::size_t largest_latch = 8192;

[[noreturn]] void fail(const std::string &path) {
    throw std::system_error(errno, std::generic_category(), path);
}

} // namespace

Latches::Latches(std::string directory) : directory_(std::move(directory)) {
    if (::mkdir(directory_.c_str(), 0700) != 0 && errno != EEXIST) fail(directory_);
}

std::string Latches::path(const std::string &card, int pin_reference) const {
    // A card's serial comes from the card: letters and digits, whatever it says.
    std::string name;
    for (const char c : card)
        name += (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')
                    ? std::string(1, c)
                    : fmt::format("_{:02x}", static_cast<unsigned char>(c));
    return fmt::format("{}/{}-{:02x}", directory_, name.substr(0, 200), pin_reference & 0xff);
}

std::optional<Latch> Latches::find(const std::string &card, int pin_reference) const {
    try {
        const auto text = read_file(path(card, pin_reference), largest_latch);
        if (!text) return std::nullopt;
        if (auto latch = parse_latch(*text)) return latch;
        return Latch{Latch::State::refused, -1, 0, "a latch file that cannot be understood"};
    } catch (const std::system_error &) {
        return Latch{Latch::State::refused, -1, 0, "a latch file that cannot be read"};
    }
}

void Latches::set(const std::string &card, int pin_reference, const Latch &latch) {
    replace_file(path(card, pin_reference), latch_text(latch), 0600);
}

void Latches::clear(const std::string &card, int pin_reference) {
    const std::string file = path(card, pin_reference);
    if (::unlink(file.c_str()) != 0 && errno != ENOENT) fail(file);
    const Fd directory(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory || ::fsync(directory.get()) != 0) fail(directory_);
}

std::string latch_text(const Latch &latch) {
    return fmt::format("state=\"{}\" tries=\"{}\" since=\"{}\" source=\"{}\"\n",
                       latch.state == Latch::State::trying ? "trying" : "refused", latch.tries,
                       latch.since, log::escaped(latch.source));
}

std::optional<Latch> parse_latch(std::string_view text) {
    const auto words = parse_words(text);
    if (!words) return std::nullopt;
    const auto state = word(*words, "state");
    const auto tries = number(*words, "tries");
    const auto since = number(*words, "since");
    const auto source = word(*words, "source");
    if (!state || !tries || !since || !source) return std::nullopt;
    if (*state != "trying" && *state != "refused") return std::nullopt;
    return Latch{*state == "trying" ? Latch::State::trying : Latch::State::refused,
                 static_cast<int>(*tries), *since, *source};
}

} // namespace demail::broker
