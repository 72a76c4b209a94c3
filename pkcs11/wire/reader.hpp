// Reads a message's fields out of hostile bytes; knows the same words as Writer. After the first
// fault it reads nothing more, and complete() is false. Room-private.
#pragma once

#include "base/secret.hpp"
#include "wire/text.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace demail::wire {

class Reader {
  public:
    explicit Reader(std::string_view bytes) noexcept : rest_(bytes) {}

    /// All bytes were read and all were good.
    [[nodiscard]] bool complete() const noexcept { return good_ && rest_.empty(); }
    [[nodiscard]] bool good() const noexcept { return good_; }
    void refuse() noexcept { good_ = false; }

    template <typename Number>
    void number(Number &value, Number highest = static_cast<Number>(~Number{})) {
        value = static_cast<Number>(get(sizeof value));
        if (value > highest) refuse();
    }
    void time(std::int64_t &value) { value = static_cast<std::int64_t>(get(sizeof value)); }
    void flag(bool &value) {
        const std::uint64_t byte = get(1);
        if (byte > 1) refuse();
        value = byte == 1;
    }
    template <typename Enum>
    void choice(Enum &value, Enum lowest, Enum highest) {
        const auto byte = static_cast<std::uint8_t>(get(1));
        if (byte < static_cast<std::uint8_t>(lowest) || byte > static_cast<std::uint8_t>(highest))
            return refuse();
        value = static_cast<Enum>(byte);
    }
    void bytes(std::string &value, std::size_t limit) { value = take(limit); }
    void secret(Secret &value, std::size_t limit) { value = Secret::copy_of(take(limit)); }
    void text(std::string &value, std::size_t limit) {
        value = take(limit);
        if (!is_text(value)) refuse();
    }
    void sentence(std::string &value, std::size_t limit) { text(value, limit); }
    void lines(std::string &value, std::size_t limit) {
        value = take(limit);
        if (!is_text(value, true)) refuse();
    }
    template <typename T, typename Each>
    void optional(std::optional<T> &value, Each each) {
        bool there = false;
        flag(there);
        if (good_ && there) each(value.emplace());
    }
    template <typename T, typename Each>
    void list(std::vector<T> &values, std::size_t limit, Each each) {
        std::size_t count = get(2);
        if (count > limit) return refuse();
        for (; good_ && count > 0; --count)
            each(values.emplace_back());
    }

  private:
    std::uint64_t get(std::size_t size) noexcept {
        if (!good_ || rest_.size() < size) {
            good_ = false;
            return 0;
        }
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < size; ++i)
            value = value << 8 | static_cast<unsigned char>(rest_[i]);
        rest_.remove_prefix(size);
        return value;
    }
    std::string_view take(std::size_t limit) noexcept {
        const std::uint64_t size = get(4);
        if (!good_ || size > limit || size > rest_.size()) {
            good_ = false;
            return {};
        }
        const std::string_view taken = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return taken;
    }

    std::string_view rest_;
    bool good_ = true;
};

} // namespace demail::wire
