// What the daemon answers to whom: rights, rates, which card. Thread-safe; it never waits.
#pragma once

#include "broker/access.hpp"
#include "broker/audit.hpp"
#include "broker/cards.hpp"
#include "broker/catalogue.hpp"
#include "broker/configuration.hpp"
#include "broker/job.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

namespace demail::broker {

/// A job and where it has to go; several for a lock of all cards.
struct Errand {
    std::shared_ptr<Job> job;
    std::shared_ptr<Desk> desk;
};
/// The client is told when the generation is another one, at the latest then.
struct Waiting {
    std::uint64_t generation = 0;
    Clock::time_point until;
};
using Beginning = std::variant<wire::Reply, std::vector<Errand>, Waiting>;

class Service {
  public:
    Service(const Configuration &configuration, Cards &cards, Catalogue &catalogue,
            const AuditLog &audit);

    /// After a reload: rules and limits.
    void replace(const Configuration &configuration);

    /// Why this peer may not even connect; empty: it may.
    [[nodiscard]] std::string refusal(const Peer &peer) const;
    [[nodiscard]] Beginning begin(const Peer &peer, wire::Request request,
                                  const std::shared_ptr<const Fd> &bell);
    /// After Moved: where the job has to go now; nullptr: nowhere.
    [[nodiscard]] std::shared_ptr<Desk> desk_for(const Job &job) const;
    [[nodiscard]] std::uint64_t generation() const { return catalogue_.generation(); }
    void subscribe(const std::shared_ptr<const Fd> &bell) { catalogue_.subscribe(bell); }

  private:
    struct Rules {
        AccessRules access;
        std::chrono::seconds longest_wait;
    };
    [[nodiscard]] std::shared_ptr<const Rules> rules() const;

    [[nodiscard]] wire::Reply tokens() const;
    [[nodiscard]] wire::Reply objects(const Peer &peer, const Rules &rules,
                                      const std::string &serial) const;
    [[nodiscard]] wire::Reply status() const;
    [[nodiscard]] std::optional<wire::Reply> denied(const Peer &peer, const Rules &rules,
                                                    const wire::Request &request);
    [[nodiscard]] std::variant<std::string, wire::Reply>
    the_serial(const std::string &wanted) const;
    [[nodiscard]] std::variant<std::vector<std::shared_ptr<Desk>>, wire::Reply>
    desks_for(wire::Request &request) const;

    Cards &cards_;
    Catalogue &catalogue_;
    const AuditLog &audit_;
    RateLimit rate_;
    const std::int64_t started_;
    mutable std::mutex mutex_;
    std::shared_ptr<const Rules> rules_; ///< behind mutex_
};

} // namespace demail::broker
