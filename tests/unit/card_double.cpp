#include "card_double.hpp"

#include <openssl/core_names.h>
#include <openssl/rsa.h>
#include <p11-kit/pkcs11.h>

#include <chrono>
#include <stdexcept>

namespace demail::test {
namespace {

using namespace wire;
using Context = Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;

void must(bool good) {
    if (!good) throw std::runtime_error("OpenSSL refuses the card double's work");
}

const unsigned char *octets(const std::string &bytes) {
    return reinterpret_cast<const unsigned char *>(bytes.data());
}

/// Made once for all tests of a program.
template <int Number>
Key one_key() {
    static const Key key = make_key("RSA");
    EVP_PKEY_up_ref(key.get());
    return Key(key.get());
}

std::string number(EVP_PKEY *key, const char *name) {
    BIGNUM *value = nullptr;
    must(EVP_PKEY_get_bn_param(key, name, &value) == 1);
    const Handle<BIGNUM, BN_free> owned(value);
    std::string bytes(static_cast<std::size_t>(BN_num_bytes(value)), '\0');
    BN_bn2bin(value, reinterpret_cast<unsigned char *>(bytes.data()));
    return bytes;
}

wire::Key described(EVP_PKEY *key, const char *label, const char *id, bool signs,
                    bool usable = true) {
    return {label,
            id,
            number(key, OSSL_PKEY_PARAM_RSA_N),
            number(key, OSSL_PKEY_PARAM_RSA_E),
            signs,
            !signs,
            usable};
}

std::string certificate_for(EVP_PKEY *key, const std::string &name) {
    const test::Certificate certificate = make_certificate(key, {name});
    unsigned char *bytes = nullptr;
    const int size = i2d_X509(certificate.get(), &bytes);
    must(size > 0);
    const std::string der(reinterpret_cast<char *>(bytes), static_cast<std::size_t>(size));
    OPENSSL_free(bytes);
    return der;
}

const EVP_MD *algorithm(Hash hash) {
    return hash == Hash::sha1     ? EVP_sha1()
           : hash == Hash::sha256 ? EVP_sha256()
           : hash == Hash::sha384 ? EVP_sha384()
                                  : EVP_sha512();
}

std::string signature_of(EVP_PKEY *key, const Sign &request) {
    const Context context(EVP_PKEY_CTX_new(key, nullptr));
    must(EVP_PKEY_sign_init(context.get()) == 1);
    if (const auto *pkcs1 = std::get_if<Pkcs1Signature>(&request.scheme)) {
        must(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) == 1);
        if (pkcs1->hash)
            must(EVP_PKEY_CTX_set_signature_md(context.get(), algorithm(*pkcs1->hash)) == 1);
    } else {
        const auto &pss = std::get<PssSignature>(request.scheme);
        must(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PSS_PADDING) == 1 &&
             EVP_PKEY_CTX_set_signature_md(context.get(), algorithm(pss.hash)) == 1 &&
             EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), algorithm(pss.mgf)) == 1 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), pss.salt) == 1);
    }
    std::string signature(512, '\0');
    std::size_t size = signature.size();
    must(EVP_PKEY_sign(context.get(), reinterpret_cast<unsigned char *>(signature.data()), &size,
                       octets(request.input), request.input.size()) == 1);
    signature.resize(size);
    return signature;
}

std::string plaintext_of(EVP_PKEY *key, const Decrypt &request) {
    const Context context(EVP_PKEY_CTX_new(key, nullptr));
    must(EVP_PKEY_decrypt_init(context.get()) == 1);
    if (const auto *oaep = std::get_if<OaepEncryption>(&request.scheme)) {
        must(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) == 1 &&
             EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), algorithm(oaep->hash)) == 1 &&
             EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), algorithm(oaep->mgf)) == 1);
        if (!oaep->label.empty())
            must(EVP_PKEY_CTX_set0_rsa_oaep_label(
                     context.get(), OPENSSL_memdup(oaep->label.data(), oaep->label.size()),
                     static_cast<int>(oaep->label.size())) == 1);
    }
    std::string plaintext(512, '\0');
    std::size_t size = plaintext.size();
    must(EVP_PKEY_decrypt(context.get(), reinterpret_cast<unsigned char *>(plaintext.data()), &size,
                          octets(request.input), request.input.size()) == 1);
    plaintext.resize(size);
    return plaintext;
}

Reply reply(ReplyBody body) {
    return {0, rv_ok, "", std::move(body)};
}
Reply refusal(Rv rv, const char *sentence) {
    return {0, rv, sentence, Done{}};
}

} // namespace

CardDouble::CardDouble() : auth_(one_key<0>()), enc_(one_key<1>()) {
    auth_certificate_ = certificate_for(auth_.get(), "firm");
    enc_certificate_ = certificate_for(enc_.get(), "firm enc");
    token_.slot = 5;
    token_.present = true;
    token_.serial = serial;
    token_.label = "NetKey 2345";
    token_.manufacturer = "T-Systems";
    token_.model = "NetKey V3";
    token_.reader = "a reader";
    token_.pin_min = 6;
    token_.pin_max = 16;
}

std::string CardDouble::auth_certificate() const {
    const std::lock_guard lock(mutex_);
    return auth_certificate_;
}

void CardDouble::add_card(const std::string &card_serial, std::uint32_t slot) {
    change([&](const Token &first) {
        Token other = first;
        other.serial = card_serial;
        other.slot = slot;
        others_.push_back(std::move(other));
    });
}

void CardDouble::renew_certificate() {
    std::string fresh = certificate_for(auth_.get(), "firm, renewed");
    change([&](Token &) { auth_certificate_ = std::move(fresh); });
}

void CardDouble::lock_enc_key() {
    change([&](Token &) { enc_usable_ = false; });
}

void CardDouble::fail_next(int count, Rv rv) {
    const std::lock_guard lock(mutex_);
    failures_ = count;
    failure_ = rv;
}

int CardDouble::verifies() const {
    const std::lock_guard lock(mutex_);
    return verifies_;
}

int CardDouble::card_operations() const {
    const std::lock_guard lock(mutex_);
    return operations_;
}

std::optional<Reply> CardDouble::operator()(const Request &request) {
    if (const auto *wait = std::get_if<WaitForChange>(&request)) {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, std::chrono::milliseconds(std::min(wait->timeout_ms, 2000U)),
                          [&] { return generation_ != wait->generation; });
        return reply(Generation{generation_});
    }
    const std::lock_guard lock(mutex_);
    return answer(request);
}

Reply CardDouble::answer(const Request &request) {
    if (std::holds_alternative<ListTokens>(request)) {
        std::vector<Token> tokens{token_};
        tokens.insert(tokens.end(), others_.begin(), others_.end());
        return reply(TokenList{generation_, tokens});
    }
    if (std::holds_alternative<ListObjects>(request))
        return reply(ObjectList{generation_,
                                {described(auth_.get(), "demail-auth", auth_id, true),
                                 described(enc_.get(), "demail-enc", enc_id, false, enc_usable_)},
                                {{"demail-auth", auth_id, auth_certificate_},
                                 {"demail-enc", enc_id, enc_certificate_},
                                 {"broken", "\x01", "no certificate"}}});
    if (const auto *one = std::get_if<Login>(&request)) return login(*one);
    if (const auto *one = std::get_if<Sign>(&request))
        return use(one->serial, [&] { return Signature{signature_of(auth_.get(), *one)}; });
    if (const auto *one = std::get_if<Decrypt>(&request))
        return use(one->serial, [&]() -> ReplyBody {
            return Plaintext{Secret::copy_of(plaintext_of(enc_.get(), *one))};
        });
    if (std::holds_alternative<Logout>(request)) return reply(Done{});
    return refusal(CKR_FUNCTION_NOT_SUPPORTED, "Not here.");
}

Reply CardDouble::login(const Login &request) {
    if (!request.pin)
        return token_.pin.held ? reply(Done{})
                               : refusal(CKR_FUNCTION_CANCELED, "The card is locked: unlock it.");
    ++verifies_;
    if (request.pin->view() != pin) {
        --tries_;
        ++generation_;
        token_.pin.tries_low = true;
        token_.pin.final_try = tries_ == 1;
        token_.pin.locked = tries_ <= 0;
        return refusal(CKR_PIN_INCORRECT, "The card has refused the PIN.");
    }
    tries_ = 3;
    ++generation_;
    token_.pin = {true, false, false, false, false};
    return reply(Done{});
}

Reply CardDouble::use(const std::string &key_serial, const std::function<ReplyBody()> &operation) {
    ++operations_;
    if (failures_ > 0) {
        --failures_;
        return refusal(failure_, "The test wants it so.");
    }
    if (key_serial != token_.serial) return refusal(CKR_TOKEN_NOT_PRESENT, "No such card.");
    if (!token_.present) return refusal(CKR_DEVICE_REMOVED, "The card is not there.");
    if (!token_.pin.held) return refusal(CKR_USER_NOT_LOGGED_IN, "The card is locked: unlock it.");
    try {
        return reply(operation());
    } catch (const std::exception &error) {
        return refusal(CKR_ENCRYPTED_DATA_INVALID, error.what());
    }
}

} // namespace demail::test
