// All cards: a thread for each reader that the configuration names and for each module.
// Thread-safe.
#pragma once

#include "broker/card_thread.hpp"
#include "broker/configuration.hpp"
#include "broker/reader_watch.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace demail::broker {

class Cards {
  public:
    Cards(const Configuration &configuration, Shared shared);
    /// Waits for the calls that are under way.
    ~Cards();
    Cards(const Cards &) = delete;
    Cards &operator=(const Cards &) = delete;

    /// Rules may change; a card that they name still keeps its PIN.
    void replace(const Configuration &configuration);
    /// Takes the power of all cards. False where a card has not answered within `grace`: waiting
    /// for it, and so the destructor, has no end that is known.
    [[nodiscard]] bool stop(std::chrono::milliseconds grace);

    /// The readers were looked at, and each card in them.
    [[nodiscard]] bool settled() const;

    struct Place {
        std::string reader;
        bool card = false; ///< one is in it
        std::shared_ptr<Desk> desk;
    };
    [[nodiscard]] std::vector<Place> places() const;

  private:
    void readers_changed(const ReaderWatch &watch, const std::vector<std::string> &names);
    void add_modules();
    [[nodiscard]] std::vector<TokenRule> rules_at(const std::string &place) const;
    [[nodiscard]] std::vector<TokenRule> rules_for(const std::string &reader) const;

    Shared shared_;
    mutable std::mutex mutex_;
    bool stopped_ = false;
    bool seen_ = false; ///< the readers
    std::vector<TokenRule> rules_;
    std::vector<std::string> names_; ///< of the readers that are there
    std::map<std::string, std::unique_ptr<CardThread>> threads_;
    std::unique_ptr<ReaderWatch> watch_;
};

} // namespace demail::broker
