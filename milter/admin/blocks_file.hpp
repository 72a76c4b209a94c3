// The file of blocks, demail.toml(5) [policy] blocks: demailctl writes it, milter and relay look at
// it before each decision.
#pragma once

#include "base/file_stamp.hpp"
#include "message/blocks.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>

namespace demail {

/// No file: nobody is blocked. A sentence where it cannot be read or is damaged.
[[nodiscard]] std::variant<Blocks, std::string> read_blocks(const std::string &file);

/// Reads, has `change` change it, writes; nobody else changes it in between. `change` returns
/// whether there is anything to write. A sentence where it could not be done; then nothing has
/// changed.
[[nodiscard]] std::optional<std::string> change_blocks(const std::string &file,
                                                       const std::function<bool(Blocks &)> &change);

/// Thread-safe.
class BlocksFile {
  public:
    explicit BlocksFile(std::string file) : file_(std::move(file)) {}

    /// Those in force at this moment; null where they are not known.
    [[nodiscard]] std::shared_ptr<const Blocks> now();
    /// Why a message by this right does not go out now; nullopt: it may. 451 where the blocks are
    /// not known.
    [[nodiscard]] std::optional<Reply> bar(const Right &right, const Address &envelope_sender);

  private:
    const std::string file_;
    std::mutex mutex_; // guards what follows; held within now() alone
    FileStamp stamp_{};
    std::shared_ptr<const Blocks> blocks_;
    std::string fault_; ///< logged already
};

} // namespace demail
