// One table of the configuration while it is read: every key is asked for once, by name and kind;
// what is left over is unknown. Faults are collected, never thrown.
#pragma once

#include "daemon/fault.hpp"

#include <toml++/toml.h>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace demail {

/// The faults and warnings of one file.
class FaultList {
  public:
    explicit FaultList(std::string file) : file_(std::move(file)) {}
    void fault(toml::source_position at, std::string sentence);
    void warning(toml::source_position at, std::string sentence);
    [[nodiscard]] bool empty() const noexcept { return faults_.empty(); }
    /// In the file's order.
    [[nodiscard]] std::vector<ConfigurationFault> take_faults();
    [[nodiscard]] std::vector<ConfigurationFault> take_warnings();

  private:
    std::string file_;
    std::vector<ConfigurationFault> faults_, warnings_;
};

/// A string with the place where it stands.
struct Located {
    std::string text;
    toml::source_position at{};
};

class Section {
  public:
    /// `title` is how the table is called in sentences: "[relay]". Both arguments outlive it.
    Section(FaultList &faults, const toml::table &table, std::string title)
        : faults_(faults), table_(table), title_(std::move(title)) {}

    /// A string without control characters that is not empty.
    std::optional<Located> text(std::string_view key);
    /// The same; a fault when it is missing.
    std::optional<Located> required_text(std::string_view key);
    /// A string that is an absolute path without a slash at its end.
    std::optional<Located> path(std::string_view key);
    /// A path that a Unix socket's address can hold (107 octets, unix(7)).
    std::optional<Located> socket_path(std::string_view key);
    std::optional<std::int64_t> integer(std::string_view key, std::int64_t least,
                                        std::int64_t most);
    std::optional<bool> boolean(std::string_view key);
    /// An array of strings, not empty. nullopt where it is missing or something else.
    std::optional<std::vector<Located>> texts(std::string_view key);
    /// [key]
    const toml::table *table(std::string_view key);
    /// [[key]]; empty where there is none.
    std::vector<const toml::table *> tables(std::string_view key, std::string_view title);

    /// Reports a key of later versions if it is there.
    void reserve(std::string_view key);
    /// Reports every key that nobody asked for, with the nearest one that somebody did.
    void finish();

    [[nodiscard]] bool has(std::string_view key) const { return table_.contains(key); }
    [[nodiscard]] toml::source_position at() const { return table_.source().begin; }
    [[nodiscard]] const std::string &title() const noexcept { return title_; }
    void fault(toml::source_position where, std::string sentence) {
        faults_.fault(where, std::move(sentence));
    }
    [[nodiscard]] FaultList &faults() noexcept { return faults_; }

  private:
    const toml::node *find(std::string_view key);
    std::optional<Located> string_of(const toml::node &node, std::string_view key);

    FaultList &faults_;
    const toml::table &table_;
    std::string title_;
    std::set<std::string, std::less<>> known_;
};

} // namespace demail
