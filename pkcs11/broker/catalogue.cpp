#include "broker/catalogue.hpp"

#include "base/digest.hpp"
#include "base/file.hpp"
#include "base/log.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>
#include <system_error>
#include <utility>

namespace demail::broker {
namespace {

constexpr std::size_t largest_slots_file = 64UL * 1024;
/// Hosts do not have more cards in their life; beyond it slots are not remembered.
constexpr std::size_t most_slots = 1000;

/// Beginning anywhere: a restart is a change for who compares.
std::uint64_t random_beginning() {
    unsigned char bytes[6];
    random_bytes(bytes, sizeof bytes);
    std::uint64_t value = 1;
    for (const unsigned char byte : bytes)
        value = value << 8 | byte;
    return value;
}

} // namespace

Catalogue::Catalogue(std::string slots_file)
    : slots_file_(std::move(slots_file)), generation_(random_beginning()) {
    const auto text = read_file(slots_file_, largest_slots_file);
    std::istringstream lines(text.value_or(""));
    for (std::string line; std::getline(lines, line) && slots_.size() < most_slots;)
        slots_.push_back(line);
}

std::uint32_t Catalogue::slot_of(const std::string &serial) {
    const auto known = std::find(slots_.begin(), slots_.end(), serial);
    const auto slot = static_cast<std::uint32_t>(known - slots_.begin());
    if (known != slots_.end()) return slot;
    slots_.push_back(serial);
    if (slots_.size() > most_slots) return slot;
    std::string text;
    for (const std::string &one : slots_)
        text += one + "\n";
    try {
        replace_file(slots_file_, text, 0600);
    } catch (const std::system_error &error) {
        log::say(log::Level::warning,
                 fmt::format("Slot numbers cannot be kept over a restart: {}", error.what()));
    }
    return slot;
}

void Catalogue::changed() {
    ++generation_;
    std::erase_if(bells_, [](const auto &bell) { return bell.expired(); });
    const std::uint64_t one = 1;
    for (const auto &weak : bells_)
        if (const auto bell = weak.lock()) {
            // It cannot fail but where the counter is full, and then the bell rings already.
            [[maybe_unused]] const ssize_t written = ::write(bell->get(), &one, sizeof one);
        }
}

void Catalogue::publish(CatalogueEntry entry) {
    const std::lock_guard lock(mutex_);
    entry.status.token.slot = slot_of(entry.status.token.serial);
    CatalogueEntry &known = entries_[entry.status.token.serial];
    const bool same = known.desk == entry.desk && known.status.token == entry.status.token &&
                      known.keys == entry.keys && known.certificates == entry.certificates;
    known = std::move(entry);
    if (!same) changed();
}

void Catalogue::update(const wire::TokenStatus &status) {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(status.token.serial);
    if (found == entries_.end()) return;
    const wire::Token token = found->second.status.token;
    found->second.status = status;
    found->second.status.token = token;
}

void Catalogue::gone(const std::string &serial, const std::shared_ptr<Desk> &desk, bool pin_held,
                     const std::string &sentence) {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(serial);
    // It may be in another reader by now.
    if (found == entries_.end() || found->second.desk != desk) return;
    found->second.status.sentence = sentence;
    wire::Token &token = found->second.status.token;
    const bool was_present = std::exchange(token.present, false);
    const bool was_held = std::exchange(token.pin.held, pin_held);
    if (was_present || was_held != pin_held) changed();
}

std::vector<CatalogueEntry> Catalogue::all() const {
    const std::lock_guard lock(mutex_);
    std::vector<CatalogueEntry> list;
    for (const auto &[serial, entry] : entries_)
        list.push_back(entry);
    std::sort(list.begin(), list.end(), [](const auto &a, const auto &b) {
        return a.status.token.slot < b.status.token.slot;
    });
    for (CatalogueEntry &entry : list)
        entry.status.waiting = static_cast<std::uint32_t>(entry.desk->size());
    return list;
}

std::optional<CatalogueEntry> Catalogue::find(const std::string &serial) const {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(serial);
    if (found == entries_.end()) return std::nullopt;
    return found->second;
}

std::optional<Catalogue::Route> Catalogue::route(const std::string &serial,
                                                 const std::string &key_id) const {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(serial);
    if (found == entries_.end()) return std::nullopt;
    const auto &keys = found->second.keys;
    const auto key = std::find_if(keys.begin(), keys.end(),
                                  [&](const wire::Key &one) { return one.id == key_id; });
    return Route{found->second.desk, key == keys.end() ? std::nullopt : std::optional(key->label)};
}

std::uint64_t Catalogue::generation() const {
    const std::lock_guard lock(mutex_);
    return generation_;
}

void Catalogue::subscribe(const std::shared_ptr<const Fd> &bell) {
    const std::lock_guard lock(mutex_);
    bells_.push_back(bell);
}

} // namespace demail::broker
