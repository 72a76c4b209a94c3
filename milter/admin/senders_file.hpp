// An account's senders_file, demail.toml(5): read again when somebody has changed it.
#pragma once

#include "base/file_stamp.hpp"
#include "daemon/fault.hpp"
#include "message/sender_table.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace demail {

struct SendersRead {
    std::shared_ptr<const SenderTable> table;
    std::int64_t modified = 0; ///< Unix seconds
};
/// The whole file, or each fault with its line. Nobody but its owner may be able to write it.
/// Where the file still says what `known` (may be null) was made of, that is the table.
[[nodiscard]] std::variant<SendersRead, std::vector<ConfigurationFault>>
read_senders(const SenderTable::Owner &owner,
             const std::shared_ptr<const SenderTable> &known = nullptr);

/// Why a file of this age is not believed; nullopt: it is. `max_age` nullopt: any age will do.
[[nodiscard]] std::optional<std::string>
too_old(const std::string &file, std::int64_t modified, std::int64_t now,
        const std::optional<std::chrono::seconds> &max_age);

/// Looks at most once a second whether the file has changed. A file that has become bad leaves the
/// rules it had in force, and is logged. Thread-safe.
class SendersFile {
  public:
    struct Clocks {
        std::function<std::chrono::steady_clock::time_point()> steady;
        std::function<std::int64_t()> unix_time;
    };
    SendersFile(SenderTable::Owner owner, std::optional<std::chrono::seconds> max_age,
                Clocks clocks);

    /// Null where no good file was ever read, or the last good one is too old.
    [[nodiscard]] std::shared_ptr<const SenderTable> now();

    [[nodiscard]] bool same_as(const SenderTable::Owner &owner,
                               const std::optional<std::chrono::seconds> &max_age) const {
        return owner_ == owner && max_age_ == max_age;
    }

  private:
    void read(const FileStamp &seen);
    void judge_age();

    const SenderTable::Owner owner_;
    const std::optional<std::chrono::seconds> max_age_;
    const Clocks clocks_;
    std::mutex mutex_; // guards all below; held within now() alone
    std::chrono::steady_clock::time_point looked_{};
    bool looked_once_ = false;
    FileStamp stamp_{};
    SendersRead good_{};
    bool old_ = false;
};

} // namespace demail
