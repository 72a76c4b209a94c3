// A daemon with a card, as the PKCS#11 module sees it, for tests of the module alone: keys in
// software, a PIN with three tries. Thread-safe.
#pragma once

#include "certificates.hpp"
#include "wire/message.hpp"

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace demail::test {

class CardDouble {
  public:
    static constexpr const char *pin = "123456";

    /// demail-auth may sign, demail-enc may decrypt.
    CardDouble();

    /// What a ScriptedDaemon asks.
    std::optional<wire::Reply> operator()(const wire::Request &request);

    /// Changes the token as a card that is pulled, unlocked … would, and wakes who waits.
    template <typename Change>
    void change(Change how) {
        {
            const std::lock_guard lock(mutex_);
            how(token_);
            ++generation_;
        }
        changed_.notify_all();
    }
    void add_card(const std::string &serial, std::uint32_t slot);
    /// Another certificate for the same key, as after a renewal.
    void renew_certificate();
    /// As if it needed another PIN than the one that a login gives.
    void lock_enc_key();
    /// The next `count` signatures and decryptions fail by this.
    void fail_next(int count, wire::Rv rv);
    [[nodiscard]] int verifies() const;
    [[nodiscard]] int card_operations() const;

    static constexpr const char *serial = "89490173456789012345";
    static constexpr const char *auth_id = "\x47";
    static constexpr const char *enc_id = "\x46";

    [[nodiscard]] EVP_PKEY *auth_key() const noexcept { return auth_.get(); }
    [[nodiscard]] EVP_PKEY *enc_key() const noexcept { return enc_.get(); }
    [[nodiscard]] std::string auth_certificate() const;

  private:
    wire::Reply answer(const wire::Request &request);
    wire::Reply login(const wire::Login &request);
    wire::Reply use(const std::string &key_serial,
                    const std::function<wire::ReplyBody()> &operation);

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    Key auth_, enc_;
    std::string auth_certificate_, enc_certificate_;
    wire::Token token_;
    std::vector<wire::Token> others_;
    std::uint64_t generation_ = 4711;
    int tries_ = 3, verifies_ = 0, operations_ = 0, failures_ = 0;
    wire::Rv failure_ = 0;
    bool enc_usable_ = true;
};

} // namespace demail::test
