#include "admin/senders.hpp"

#include <algorithm>
#include <ctime>
#include <utility>

namespace demail {

SendersFile::Clocks Senders::real_clocks() {
    return {std::chrono::steady_clock::now,
            [] { return static_cast<std::int64_t>(std::time(nullptr)); }};
}

SenderTable::Owner owner_of(const AccountConfiguration &account) {
    return {account.senders_file, account.name, account.domains};
}

Senders::Senders(const Configuration &configuration, const Senders *previous,
                 SendersFile::Clocks clocks) {
    for (const AccountConfiguration &account : configuration.accounts) {
        AccountRules rules{account.name, nullptr};
        for (const AccountRules &one : configuration.rules.accounts())
            if (one.account == account.name) rules.rules = one.rules;
        rules.has_file = !account.senders_file.empty();
        std::shared_ptr<SendersFile> file;
        if (rules.has_file) {
            const auto owner = owner_of(account);
            if (previous != nullptr) {
                const auto known =
                    std::find_if(previous->files_.begin(), previous->files_.end(),
                                 [&](const std::shared_ptr<SendersFile> &one) {
                                     return one && one->same_as(owner, account.senders_max_age);
                                 });
                if (known != previous->files_.end()) file = *known;
            }
            if (!file) file = std::make_shared<SendersFile>(owner, account.senders_max_age, clocks);
        }
        accounts_.push_back(std::move(rules));
        files_.push_back(std::move(file));
    }
}

std::shared_ptr<const SenderRules> Senders::now() {
    const std::lock_guard<std::mutex> lock(mutex_);
    bool changed = !snapshot_;
    for (std::size_t i = 0; i < files_.size(); ++i) {
        if (!files_[i]) continue;
        auto table = files_[i]->now();
        changed = changed || table != accounts_[i].file;
        accounts_[i].file = std::move(table);
    }
    if (changed) snapshot_ = std::make_shared<const SenderRules>(accounts_);
    return snapshot_;
}

std::vector<ConfigurationFault> check_senders_files(const Configuration &configuration) {
    std::vector<ConfigurationFault> faults;
    for (const AccountConfiguration &account : configuration.accounts) {
        if (account.senders_file.empty()) continue;
        auto outcome = read_senders(owner_of(account));
        if (auto *found = std::get_if<std::vector<ConfigurationFault>>(&outcome)) {
            std::move(found->begin(), found->end(), std::back_inserter(faults));
            continue;
        }
        if (auto why = too_old(account.senders_file, std::get<SendersRead>(outcome).modified,
                               std::time(nullptr), account.senders_max_age))
            faults.push_back({account.senders_file, 0, 0, std::move(*why)});
    }
    return faults;
}

} // namespace demail
