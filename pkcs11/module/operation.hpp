// Operations that run in a session: begun by C_…Init, ended by C_… or C_…Final. Each is used by one
// call at a time.
#pragma once

#include "base/secret.hpp"
#include "module/crypto.hpp"
#include "module/daemon.hpp"
#include "module/mechanism.hpp"
#include "module/tokens.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace demail::module {

/// Where a call puts its result (PKCS#11 2.40 5.2): no buffer asks for the length, too small a one
/// is told it; both leave the operation as it is.
class Output {
  public:
    /// Throws Refused{CKR_ARGUMENTS_BAD} without `size`.
    Output(CK_BYTE_PTR bytes, CK_ULONG_PTR size) : bytes_(bytes), size_(size) {
        require(size != nullptr);
    }
    /// Whether a result of at most `size` bytes can be given now. Otherwise the length is told; the
    /// call returns CKR_OK for no buffer, CKR_BUFFER_TOO_SMALL for a small one.
    [[nodiscard]] bool fits(std::size_t size) const;
    [[nodiscard]] bool asks() const noexcept { return bytes_ == nullptr; }
    void give(std::string_view result) const;

  private:
    CK_BYTE_PTR bytes_;
    CK_ULONG_PTR size_;
};

/// A message comes whole or in parts. Mixed: Refused{CKR_OPERATION_ACTIVE}.
class Course {
  public:
    void whole() { take(Way::whole); }
    void parts() { take(Way::parts); }

  private:
    enum class Way { open, whole, parts };
    void take(Way way) {
        require(way_ == Way::open || way_ == way, CKR_OPERATION_ACTIVE);
        way_ = way;
    }
    Way way_ = Way::open;
};

/// What is to be signed or checked: its digest where the mechanism hashes, else its bytes.
class Message {
  public:
    /// Beyond `limit` bytes without hashing: Refused{CKR_DATA_LEN_RANGE}.
    Message(Crypto &crypto, std::optional<wire::Hash> hashing, std::size_t limit);
    void update(std::string_view bytes);
    [[nodiscard]] std::string finish();

  private:
    std::optional<Digest> digest_;
    std::string bytes_;
    std::size_t limit_;
};

struct DigestOperation {
    Course course;
    Digest digest;
    DigestOperation(Crypto &crypto, wire::Hash hash) : digest(crypto, hash) {}
};

/// Bytes of a signature by the key.
[[nodiscard]] std::size_t signature_size(const wire::Key &key) noexcept;

struct SignOperation {
    SignOperation(Crypto &crypto, SignMechanism mechanism, wire::Key its_key,
                  std::string its_serial);
    /// Asks the daemon.
    [[nodiscard]] std::string finish(Daemon &daemon);

    Course course;
    Message message;
    wire::SignScheme scheme;
    wire::Key key;
    std::string serial;
};

struct VerifyOperation {
    VerifyOperation(Crypto &crypto, SignMechanism mechanism, wire::Key its_key);
    /// Throws Refused{CKR_SIGNATURE_INVALID} or {CKR_SIGNATURE_LEN_RANGE}.
    void finish(Crypto &crypto, std::string_view signature);

    Course course;
    Message message;
    wire::SignScheme scheme;
    wire::Key key;
};

struct DecryptOperation {
    Course course;
    wire::DecryptScheme scheme;
    wire::Key key;
    std::string serial;
    std::string input;
    std::optional<Secret> plaintext; ///< decrypted, but the caller's buffer was too small

    void update(std::string_view bytes);
    /// The plaintext; asks the daemon once.
    [[nodiscard]] const Secret &finish(Daemon &daemon);
};

} // namespace demail::module
