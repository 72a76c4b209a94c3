#include "module/operation.hpp"

#include "module/rsa_der.hpp"

#include <cstring>

namespace demail::module {
namespace {

/// RFC 8017 9.2: at least eleven bytes of padding.
constexpr std::size_t pkcs1_overhead = 11;

/// Lengths are known before the card is asked: what cannot be signed is refused here.
void expect_signable(const wire::SignScheme &scheme, std::size_t input, std::size_t block) {
    if (const auto *pss = std::get_if<wire::PssSignature>(&scheme)) {
        require(input == size_of(pss->hash), CKR_DATA_LEN_RANGE);
        require(input + pss->salt + 2 <= block, CKR_KEY_SIZE_RANGE);
    } else {
        require(input + pkcs1_overhead <= block, CKR_DATA_LEN_RANGE);
    }
}

} // namespace

bool Output::fits(std::size_t size) const {
    if (bytes_ != nullptr && *size_ >= size) return true;
    *size_ = size;
    return false;
}

void Output::give(std::string_view result) const {
    require(bytes_ != nullptr && *size_ >= result.size(), CKR_BUFFER_TOO_SMALL);
    if (!result.empty()) std::memcpy(bytes_, result.data(), result.size());
    *size_ = result.size();
}

Message::Message(Crypto &crypto, std::optional<wire::Hash> hashing, std::size_t limit)
    : limit_(limit) {
    if (hashing) digest_.emplace(crypto, *hashing);
}

void Message::update(std::string_view bytes) {
    if (digest_) return digest_->update(bytes);
    require(bytes.size() <= limit_ - bytes_.size(), CKR_DATA_LEN_RANGE);
    bytes_ += bytes;
}

std::string Message::finish() {
    return digest_ ? digest_->finish() : std::move(bytes_);
}

std::size_t signature_size(const wire::Key &key) noexcept {
    return (bits_of(key.modulus) + 7) / 8;
}

SignOperation::SignOperation(Crypto &crypto, SignMechanism mechanism, wire::Key its_key,
                             std::string its_serial)
    : message(crypto, mechanism.hashing, signature_size(its_key)), scheme(mechanism.scheme),
      key(std::move(its_key)), serial(std::move(its_serial)) {}

std::string SignOperation::finish(Daemon &daemon) {
    const std::string input = message.finish();
    expect_signable(scheme, input.size(), signature_size(key));
    std::string signature = daemon.sign({serial, key.id, scheme, input, 0});
    require(signature.size() == signature_size(key), CKR_DEVICE_ERROR);
    return signature;
}

VerifyOperation::VerifyOperation(Crypto &crypto, SignMechanism mechanism, wire::Key its_key)
    : message(crypto, mechanism.hashing, signature_size(its_key)), scheme(mechanism.scheme),
      key(std::move(its_key)) {}

void VerifyOperation::finish(Crypto &crypto, std::string_view signature) {
    require(signature.size() == signature_size(key), CKR_SIGNATURE_LEN_RANGE);
    const std::string input = message.finish();
    expect_signable(scheme, input.size(), signature_size(key));
    require(verifies(crypto, {key.modulus, key.public_exponent}, scheme, input, signature),
            CKR_SIGNATURE_INVALID);
}

void DecryptOperation::update(std::string_view bytes) {
    require(bytes.size() <= signature_size(key) - input.size(), CKR_ENCRYPTED_DATA_LEN_RANGE);
    input += bytes;
}

const Secret &DecryptOperation::finish(Daemon &daemon) {
    if (!plaintext) {
        require(input.size() == signature_size(key), CKR_ENCRYPTED_DATA_LEN_RANGE);
        plaintext = daemon.decrypt({serial, key.id, scheme, input, 0});
    }
    return *plaintext;
}

} // namespace demail::module
