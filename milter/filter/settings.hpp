// What a reload exchanges: one immutable snapshot, of which every message holds its own reference,
// so that a reload disturbs no running message.
#pragma once

#include "admin/blocks_file.hpp"
#include "admin/configuration.hpp"
#include "admin/senders.hpp"
#include "filter/domain_list.hpp"
#include "message/ended_providers.hpp"
#include "message/rights.hpp"
#include "message/seal.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace demail::filter {

struct Settings {
    bool observe = false;
    bool refuse_mixed_recipients = false;
    /// Those in force now; a message keeps what it got.
    std::function<std::shared_ptr<const SenderRules>()> rules;
    std::shared_ptr<BlocksFile> blocks = std::make_shared<BlocksFile>(""); ///< "": none
    bool subject_flags = true;
    SealKeys keys;
    std::chrono::seconds seal_lifetime{0};
    std::vector<Network> reinjection; ///< from here messages may come back with their seal
    std::shared_ptr<DomainList> domains;
    EndedProviders ended;
    std::shared_ptr<Senders> senders; ///< behind `rules`; a reload takes its files over
};

/// Reads the seal key file and the lists of ended providers that the configuration names. A string
/// is the fault, one sentence. What was read of files that keep their paths is taken over from
/// `previous`, so that a reload does not forget the last good lists.
[[nodiscard]] std::variant<std::shared_ptr<const Settings>, std::string>
make_settings(const Configuration &configuration, const Settings *previous);

/// The snapshot in force. Thread-safe.
class CurrentSettings {
  public:
    explicit CurrentSettings(std::shared_ptr<const Settings> settings)
        : settings_(std::move(settings)) {}
    [[nodiscard]] std::shared_ptr<const Settings> get() const {
        const std::lock_guard<std::mutex> lock(mutex_);
        return settings_;
    }
    void set(std::shared_ptr<const Settings> settings) {
        const std::lock_guard<std::mutex> lock(mutex_);
        settings_.swap(settings);
    }

  private:
    mutable std::mutex mutex_;
    std::shared_ptr<const Settings> settings_;
};

} // namespace demail::filter
