// Which domains a provider's list may add to ours (contracts.md, "The domain list"). Pure: who owns
// a domain and what DNS hints at is asked through functions.
#pragma once

#include "message/domain_set.hpp"
#include "message/ended_providers.hpp"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace demail::relay {

using Domains = std::set<std::string, std::less<>>;

/// What the relay remembers of the lists, besides the list in force. Text form:
/// DomainMemory::str().
struct DomainMemory {
    struct Listed {
        std::string version;
        Domains domains; ///< normal form; the last list that was taken
        /// Of its latest list: new, outside de-mail.de, without a hint; or more than 5 % at once.
        /// They wait for `demailctl domains accept`. At most most_waiting are remembered.
        Domains waiting;
    };
    static constexpr std::size_t most_waiting = 1000;
    std::map<std::string, Listed, std::less<>> providers;
    Domains accepted; ///< by the operator, or by the SRV hint when it was new
    Domains ended;    ///< left every list: refused until forgotten

    /// Of all providers.
    [[nodiscard]] Domains waiting() const;
    [[nodiscard]] std::string str() const;
    static std::optional<DomainMemory> parse(std::string_view text);
};

struct DomainQuestions {
    /// mydestination, virtual_*, relay_domains, our senders' domains. May throw: then nothing new
    /// is taken.
    std::function<bool(const std::string &)> own;
    /// SRV _smtp._tcp with port 1465.
    std::function<bool(const std::string &)> srv_hint;
    /// For one list; each may take DNS's time, and a new name without an answer waits.
    static constexpr int most_srv_hints = 64;
};

struct DomainChange {
    bool taken = false; ///< false: the old list stays, `alarm` says why
    std::string alarm;
    std::vector<std::string> refused; ///< "domain: why", for the log
};

/// Takes a provider's new list into `memory` or refuses it as a whole (more than 5 % change at
/// once).
[[nodiscard]] DomainChange take_list(DomainMemory &memory, const std::string &provider,
                                     const std::string &version,
                                     const std::vector<std::string> &domains,
                                     const DomainQuestions &questions);

struct HintChange {
    Domains taken;
    std::vector<std::string> refused; ///< "domain: why", for the log
};

/// Which of the domains that DNS names as De-Mail may keep mail from the Internet.
[[nodiscard]] HintChange take_hints(const Domains &hinted, const DomainQuestions &questions);

/// The list in force on a day. A domain of an ended provider is in it as ended whoever still names
/// it, and outside de-mail.de too: so Postfix hands its mail to the relay, never to the Internet.
/// A hint counts only where nothing else names its domain.
[[nodiscard]] DomainSet list_from(const DomainMemory &memory, const EndedProviders &ended,
                                  std::string_view day, const Domains &hints);

/// Why a provider may never add this domain whoever asks; nullopt: it may. `domain` as the provider
/// wrote it.
[[nodiscard]] std::optional<std::string> never_accepted(std::string_view domain);

} // namespace demail::relay
