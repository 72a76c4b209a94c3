// demail-cardd as the module sees it: one function to a question, with the deadline that fits it.
// Thread-safe. What fails throws Refused, but for the functions that return an optional.
#pragma once

#include "module/refused.hpp"
#include "wire/client.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>

namespace demail::module {

struct Deadlines {
    std::chrono::milliseconds question{10'000}; ///< answered without the card
    std::chrono::milliseconds card{30'000};     ///< the time for a card to come back is in it
};

class Daemon {
  public:
    Daemon() = default;

    /// nullopt: it cannot be asked.
    [[nodiscard]] std::optional<wire::TokenList> tokens();
    [[nodiscard]] std::optional<wire::ObjectList> objects(const std::string &serial);

    [[nodiscard]] std::string sign(wire::Sign request);
    [[nodiscard]] Secret decrypt(wire::Decrypt request);
    void login(wire::Login request);
    void logout(const std::string &serial);

    /// Returns when the generation is another one, after a minute, or soon when nobody can be asked
    /// or stop() was called.
    void wait_for_change(std::uint64_t generation);

    /// Ends the calls that wait and lets no other begin.
    void stop();
    [[nodiscard]] bool stopped() const;

  private:
    template <typename Body>
    Body ask(const wire::Request &request, wire::Clock::time_point deadline);
    template <typename Body, typename Operation>
    Body use_card(Operation operation);
    void wait_for_card(const std::string &serial, wire::Clock::time_point deadline);
    void pause(std::chrono::milliseconds time);
    template <typename Body>
    std::optional<Body> answer(const wire::Request &request);

    const Deadlines deadlines_;
    wire::Client client_;
    mutable std::mutex mutex_;
    std::condition_variable stop_;
    bool stopped_ = false; ///< under mutex_
};

} // namespace demail::module
