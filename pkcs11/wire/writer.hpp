// Writes a message's fields; knows the same words as Reader. Written twice: once to count, once
// into memory of exactly that size, so that no secret is left behind in a buffer that grew.
// Room-private.
#pragma once

#include "base/secret.hpp"
#include "wire/text.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace demail::wire {

class Writer {
  public:
    /// Without `out` it only counts.
    explicit Writer(char *out = nullptr) noexcept : out_(out) {}

    [[nodiscard]] std::size_t written() const noexcept { return written_; }

    template <typename Number>
    void number(Number value, Number highest = static_cast<Number>(~Number{})) {
        if (value > highest) throw std::length_error("number beyond its limit");
        put(value, sizeof value);
    }
    void time(std::int64_t value) { put(static_cast<std::uint64_t>(value), sizeof value); }
    void flag(bool value) { put(value ? 1 : 0, 1); }
    template <typename Enum>
    void choice(Enum value, Enum /*lowest*/, Enum /*highest*/) {
        put(static_cast<std::uint64_t>(value), 1);
    }
    void bytes(std::string_view value, std::size_t limit) {
        if (value.size() > limit) throw std::length_error("field beyond its limit");
        put(value.size(), 4);
        raw(value);
    }
    void secret(const Secret &value, std::size_t limit) { bytes(value.view(), limit); }
    /// What is not text is replaced: a card's or another module's words are no reason to fail.
    void text(std::string_view value, std::size_t limit) {
        if (is_text(value)) return bytes(value, limit);
        bytes(as_text(value), limit);
    }
    void lines(std::string_view value, std::size_t limit) { text_cut(value, limit, true); }
    void sentence(std::string_view value, std::size_t limit) { text_cut(value, limit, false); }
    template <typename T, typename Each>
    void optional(const std::optional<T> &value, Each each) {
        flag(value.has_value());
        if (value) each(*value);
    }
    template <typename T, typename Each>
    void list(const std::vector<T> &values, std::size_t limit, Each each) {
        if (values.size() > limit) throw std::length_error("list beyond its limit");
        put(values.size(), 2);
        for (const T &value : values)
            each(value);
    }

  private:
    void put(std::uint64_t value, std::size_t size) {
        if (out_ != nullptr)
            for (std::size_t i = 0; i < size; ++i)
                out_[written_ + i] = static_cast<char>(value >> (8 * (size - 1 - i)));
        written_ += size;
    }
    void raw(std::string_view value) {
        if (out_ != nullptr && !value.empty())
            std::memcpy(out_ + written_, value.data(), value.size());
        written_ += value.size();
    }
    void text_cut(std::string_view value, std::size_t limit, bool line_ends) {
        std::string text =
            is_text(value, line_ends) ? std::string(value) : as_text(value, line_ends);
        cut_text(text, limit);
        bytes(text, limit);
    }

    char *out_;
    std::size_t written_ = 0;
};

} // namespace demail::wire
