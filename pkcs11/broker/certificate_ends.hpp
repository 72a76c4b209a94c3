// When the certificates on a card end, and who is told before: a card is ordered weeks ahead.
#pragma once

#include "wire/message.hpp"

#include <ctime>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace demail::broker {

/// The whole days from `now` to `end`; negative once it is past.
[[nodiscard]] long days_between(std::time_t now, std::time_t end) noexcept;

/// When the last of the certificates of the key with the CKA_ID `id` ends; nullopt: it has none.
[[nodiscard]] std::optional<std::time_t>
end_of_key(const std::string &id, const std::vector<wire::Certificate> &certificates);

struct KeyEnd {
    std::string label;
    std::time_t end = 0;
};

/// Says each of 60, 30 and 7 days, and the end, once for a key as long as it lives. Belongs to one
/// thread.
class EndWarnings {
  public:
    /// Of the card `serial`: what has to be said now and was not said yet.
    [[nodiscard]] std::vector<KeyEnd> due(const std::string &serial, std::vector<KeyEnd> ends,
                                          std::time_t now);

  private:
    std::map<std::pair<std::string, std::string>, std::pair<std::time_t, int>> said_;
};

} // namespace demail::broker
