// All that one delivery needs of the configuration, made once and then immutable: a reload disturbs
// no running message.
#pragma once

#include "admin/blocks_file.hpp"
#include "admin/configuration.hpp"
#include "admin/senders.hpp"
#include "journal/evidence.hpp"
#include "message/ended_providers.hpp"
#include "message/seal.hpp"
#include "relay/account.hpp"
#include "relay/spool_file.hpp"

#include <map>
#include <memory>
#include <string>

namespace demail::relay {

struct Settings {
    std::shared_ptr<const Configuration> configuration;
    SealKeys keys;
    std::map<std::string, std::shared_ptr<Account>, std::less<>> accounts;
    std::shared_ptr<Spool> spool;
    journal::Evidence evidence;
    EndedProviders ended{};
    /// The rules and files behind it; a reload takes the files over.
    std::shared_ptr<Senders> senders{};
    std::shared_ptr<BlocksFile> blocks = std::make_shared<BlocksFile>(""); ///< "": none
};

/// Reads the seal key and the lists of ended providers; the tokens are opened when they are first
/// needed, so that a relay can start before its card is unlocked. Makes the evidence's directory.
/// Throws std::runtime_error with a sentence that names the file. What was read of senders_files is
/// taken over from `previous` (may be null).
[[nodiscard]] std::shared_ptr<const Settings>
settings_from(std::shared_ptr<const Configuration> configuration,
              const Settings *previous = nullptr);

} // namespace demail::relay
