// The De-Mail domains whose provider has ended its service, with name and day: to be refused at
// once with the reason. Pure; reading is thread-safe.
#pragma once

#include "message/reply.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace demail {

struct EndedProvider {
    std::string name; ///< printable ASCII: it stands in SMTP replies
    std::string date; ///< its last day, "2022-08-31", or its last month, "2025-05"
    std::string source;
    std::string unconfirmed; ///< what no source confirms; "" for nothing
};

/// "2026-11-29", UTC.
[[nodiscard]] std::string day_of(std::int64_t unix_time);

/// "2022-08-31" or "2025-05", with a month and a day that there are.
[[nodiscard]] bool is_day_or_month(std::string_view text);

class EndedProviders {
  public:
    struct Domain {
        std::shared_ptr<const EndedProvider> provider;
        bool below = false; ///< what lies below the domain has ended with it
    };
    /// `domain` in normal form, here and below; the later of two entries counts.
    void add(std::string domain, Domain entry) {
        domains_.insert_or_assign(std::move(domain), std::move(entry));
    }
    void erase(const std::string &domain) { domains_.erase(domain); }

    /// Null where the domain has no entry or its service still runs on that day.
    [[nodiscard]] const EndedProvider *find(std::string_view domain, std::string_view day) const;
    [[nodiscard]] const std::map<std::string, Domain, std::less<>> &all() const noexcept {
        return domains_;
    }

  private:
    std::map<std::string, Domain, std::less<>> domains_;
};

/// 550 5.1.2 who ended when, and what to do.
[[nodiscard]] Reply refusal(const EndedProvider &provider);

} // namespace demail
