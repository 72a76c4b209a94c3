// The sender rules in force: those of demail.toml with those of the accounts' senders_files.
#pragma once

#include "admin/configuration.hpp"
#include "admin/senders_file.hpp"
#include "message/rights.hpp"

#include <memory>
#include <mutex>
#include <vector>

namespace demail {

/// Thread-safe.
class Senders {
  public:
    /// Takes the files that `previous` (may be null) has read over, so that a reload does not
    /// forget the last good rules.
    Senders(const Configuration &configuration, const Senders *previous,
            SendersFile::Clocks clocks = real_clocks());

    /// The same object as before where nothing has changed. The caller's own stays as it is.
    [[nodiscard]] std::shared_ptr<const SenderRules> now();

    [[nodiscard]] static SendersFile::Clocks real_clocks();

  private:
    std::vector<std::shared_ptr<SendersFile>> files_; ///< of accounts_; null where one has none
    std::vector<AccountRules> accounts_;
    std::mutex mutex_; // guards what follows
    std::shared_ptr<const SenderRules> snapshot_;
};

/// What its files are called, and whose they are.
[[nodiscard]] SenderTable::Owner owner_of(const AccountConfiguration &account);

/// What --check-config says of the senders_files, too old ones included. A daemon starts all the
/// same: ordinary mail must not stand still for one of them.
[[nodiscard]] std::vector<ConfigurationFault>
check_senders_files(const Configuration &configuration);

} // namespace demail
