// demailctl block, unblock: who sends no De-Mail for now, and who said so.
#pragma once

#include "admin/blocks_file.hpp"
#include "admin/configuration.hpp"
#include "programs/ctl_verdict.hpp"

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace demail::ctl {

struct BlockWords {
    std::string address, account, reason;
    bool all = false;
    [[nodiscard]] bool any() const { return all || !address.empty() || !account.empty(); }
};

/// Lists them. Exit code: 0, 1 where they cannot be read.
[[nodiscard]] int list_blocks(const Configuration &configuration, bool json);
/// Exit code: 0 blocked now, also where it was before; 64 nothing that can be blocked; 69 it could
/// not be written.
[[nodiscard]] int block(const Configuration &configuration, const BlockWords &words, bool json);
/// Exit code: 0 no longer blocked, 1 it was not; 64; 69.
[[nodiscard]] int unblock(const Configuration &configuration, const BlockWords &words, bool json);

[[nodiscard]] nlohmann::ordered_json json_of(const Block &block);
/// "anna@firm.de-mail.de", "account firm", "everybody".
[[nodiscard]] std::string name_of(const Block &block);
/// "blocked since … by …: reason"
[[nodiscard]] std::string story_of(const Block &block);
/// For demailctl status.
[[nodiscard]] Finding look_at_blocks(const Configuration &configuration);

} // namespace demail::ctl
