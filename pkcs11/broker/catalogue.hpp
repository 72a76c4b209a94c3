// What is known of the cards, for everybody who asks: written by the cards' threads, read by the
// clients' ones. A card that was taken out stays in it. Thread-safe.
#pragma once

#include "base/handle.hpp"
#include "broker/job.hpp"
#include "wire/message.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace demail::broker {

struct CatalogueEntry {
    wire::TokenStatus status; ///< `token` is in it; `waiting` is filled in when it is read
    std::vector<wire::Key> keys;
    std::vector<wire::Certificate> certificates;
    std::shared_ptr<Desk> desk; ///< where requests for it go
};

class Catalogue {
  public:
    /// `slots_file` remembers which serial has which slot number. Throws std::system_error where it
    /// cannot be read.
    explicit Catalogue(std::string slots_file);

    /// A card is here, or something about it has changed. Gives it its slot.
    void publish(CatalogueEntry entry);
    /// Only figures and the sentence have changed: nobody is woken.
    void update(const wire::TokenStatus &status);
    /// The card that this desk had is not there any more.
    void gone(const std::string &serial, const std::shared_ptr<Desk> &desk, bool pin_held,
              const std::string &sentence);

    /// Sorted by slot.
    [[nodiscard]] std::vector<CatalogueEntry> all() const;
    [[nodiscard]] std::optional<CatalogueEntry> find(const std::string &serial) const;
    /// Where a request goes, and what the key is called (nullopt: there is no such key).
    struct Route {
        std::shared_ptr<Desk> desk;
        std::optional<std::string> key_label;
    };
    [[nodiscard]] std::optional<Route> route(const std::string &serial,
                                             const std::string &key_id) const;
    [[nodiscard]] std::uint64_t generation() const;

    /// Writes to an eventfd at each change of the generation, as long as it lives.
    void subscribe(const std::shared_ptr<const Fd> &bell);

  private:
    std::uint32_t slot_of(const std::string &serial);
    void changed();

    std::string slots_file_;
    mutable std::mutex mutex_;
    std::uint64_t generation_;
    std::vector<std::string> slots_; ///< serials in the order of their first coming
    std::map<std::string, CatalogueEntry, std::less<>> entries_;
    std::vector<std::weak_ptr<const Fd>> bells_;
};

} // namespace demail::broker
