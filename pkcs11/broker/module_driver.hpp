// A token of any PKCS#11 module: OpenSC's, a vendor's. The module runs in a child process, which is
// killed and started anew when it hangs, dies or answers CKR_GENERAL_ERROR and its like. A module
// holds its card as it likes: that nobody else uses it meanwhile is not in our hands.
#pragma once

#include "broker/configuration.hpp"
#include "broker/driver.hpp"
#include "broker/module_child.hpp"

#include <chrono>
#include <mutex>
#include <optional>
#include <string>

namespace demail::broker {

class ModuleDriver : public Driver {
  public:
    explicit ModuleDriver(TokenRule rule);

    [[nodiscard]] Presence presence() override;
    void look() override;
    [[nodiscard]] std::variant<Facts, Failed, Away> open() override;
    void close() noexcept override;
    [[nodiscard]] std::variant<PinStand, Away> stand(std::size_t pin) override;
    [[nodiscard]] PinAnswer verify(std::size_t pin, const Secret &value) override;
    [[nodiscard]] PinAnswer change(std::size_t pin, const Secret &current,
                                   const Secret &fresh) override;
    [[nodiscard]] PinAnswer unblock(std::size_t pin, const Secret &puk,
                                    const Secret *fresh) override;
    [[nodiscard]] PinAnswer set_first(std::size_t pin, const Secret &fresh) override;
    [[nodiscard]] std::variant<std::string, NeedsPin, Failed, Away>
    sign(const KeyFacts &key, const wire::SignScheme &scheme, const std::string &input) override;
    [[nodiscard]] std::variant<Secret, NeedsPin, Failed, Away>
    decrypt(const KeyFacts &key, const wire::DecryptScheme &scheme,
            const std::string &input) override;
    [[nodiscard]] std::variant<std::string, Failed, Away> probe() override;

  private:
    [[nodiscard]] std::variant<wire::Reply, Away> ask(const wire::Request &request);
    /// The token that the rule names; nullopt: it is not there.
    [[nodiscard]] std::variant<std::optional<wire::Token>, Away> find_token();
    void saw(Presence::Kind kind, const wire::Token &token);
    void saw_no_module(const Away &away);
    [[nodiscard]] PinAnswer pin_answer(const std::variant<wire::Reply, Away> &asked,
                                       std::size_t pin);

    const TokenRule rule_;
    std::optional<ModuleChild> child_;
    bool used_ = false; ///< the child has a session, and may be logged in
    Facts facts_;
    std::chrono::steady_clock::time_point started_{};
    std::mutex mutex_;
    Presence presence_;       ///< behind mutex_
    std::string last_serial_; ///< behind mutex_
};

} // namespace demail::broker
