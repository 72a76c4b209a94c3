// The relay's domain list as the milter reads it (contracts.md, "The domain list"): the text file
// and its companion FILE.indexed, the exact source of the index that Postfix looks domains up in.
// The two differ only while a domain is being added (index first) or removed (text first).
#pragma once

#include "base/file_stamp.hpp"
#include "message/domain_set.hpp"

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace demail::filter {

enum class DomainStanding {
    ordinary,    ///< not De-Mail
    demail,      ///< De-Mail, in text and index
    ended,       ///< was De-Mail; its provider has ended
    hinted,      ///< De-Mail by DNS alone
    in_change,   ///< in text or index alone: being added or removed
    unavailable, ///< looks like De-Mail, but the list cannot be read or the index is missing
};

/// One of the list's two texts. nullopt where it cannot be read, is damaged, or lacks the built-in
/// domains: a file without them was not written by the relay. Thread-safe.
[[nodiscard]] std::optional<DomainSet> read_domain_list(const std::string &path);

/// One reading of the list. Immutable, thread-safe.
class DomainSnapshot {
  public:
    /// The last good lists. Where `available` is false they say only what looks like De-Mail.
    DomainSnapshot(DomainSet text, DomainSet indexed, bool available)
        : text_(std::move(text)), indexed_(std::move(indexed)), available_(available) {}

    /// `domain` in normal form.
    [[nodiscard]] DomainStanding find(std::string_view domain) const;
    [[nodiscard]] bool available() const noexcept { return available_; }
    [[nodiscard]] const DomainSet &text() const noexcept { return text_; }
    [[nodiscard]] const DomainSet &indexed() const noexcept { return indexed_; }

  private:
    DomainSet text_, indexed_;
    bool available_;
};

/// Reads the list again when one of its files has changed; looks at most once a second.
/// Thread-safe.
class DomainList {
  public:
    using Clock = std::function<std::chrono::steady_clock::time_point()>;
    explicit DomainList(std::string path, Clock clock = std::chrono::steady_clock::now);

    [[nodiscard]] std::shared_ptr<const DomainSnapshot> now();
    [[nodiscard]] const std::string &path() const noexcept { return path_; }

  private:
    /// Text, companion, and the forms an index may have.
    static constexpr std::size_t index_forms = 3;
    using Stamps = std::array<FileStamp, 2 + index_forms>;
    [[nodiscard]] Stamps stamps() const;
    void read(const Stamps &seen);

    const std::string path_;
    const std::array<std::string, 2 + index_forms> files_;
    const Clock clock_;
    std::mutex mutex_; // guards all below; held within now() alone
    std::chrono::steady_clock::time_point looked_{};
    bool looked_once_ = false;
    Stamps stamps_{};
    std::shared_ptr<const DomainSnapshot> snapshot_;
};

} // namespace demail::filter
