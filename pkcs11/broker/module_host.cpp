#include "broker/module_host.hpp"

#include "base/handle.hpp"
#include "broker/key_roles.hpp"

#include <dlfcn.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

namespace demail::broker {
namespace {

constexpr std::size_t most_objects = 256;
constexpr std::size_t largest_attribute = 16384;

/// A field of CK_TOKEN_INFO: filled up with blanks, not ended by a zero.
template <std::size_t N>
std::string field(const CK_UTF8CHAR (&text)[N]) {
    std::string value(reinterpret_cast<const char *>(text), N);
    const std::size_t end = value.find_last_not_of(std::string_view(" \0", 2));
    value.resize(end == std::string::npos ? 0 : end + 1);
    return value;
}

wire::PinState pin_state(const char *name, const char *label, bool set, bool low, bool last,
                         bool locked) {
    wire::PinState state;
    state.name = name;
    state.label = label;
    state.condition = !set     ? wire::PinCondition::null_pin
                      : locked ? wire::PinCondition::blocked
                      : last   ? wire::PinCondition::final_try
                      : low    ? wire::PinCondition::low
                               : wire::PinCondition::usable;
    return state;
}

CK_BYTE_PTR octets(const Secret &secret) {
    // The module gets to see a PIN, and is not to write to it.
    return reinterpret_cast<CK_BYTE_PTR>(const_cast<char *>(secret.view().data()));
}

CK_BYTE_PTR octets(const std::string &text) {
    return reinterpret_cast<CK_BYTE_PTR>(const_cast<char *>(text.data()));
}

wire::Reply plain(CK_RV rv) {
    return {0, rv, "", wire::Done{}};
}

} // namespace

ModuleHost::ModuleHost(const std::string &path) {
    // Never closed: the process ends with it.
    void *const library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        const char *const why = ::dlerror();
        throw std::runtime_error(why == nullptr ? "it cannot be loaded" : why);
    }
    using GetFunctionList = CK_RV (*)(CK_FUNCTION_LIST **);
    const auto get = reinterpret_cast<GetFunctionList>(::dlsym(library, "C_GetFunctionList"));
    if (get == nullptr || get(&functions_) != CKR_OK || functions_ == nullptr)
        throw std::runtime_error("it has no C_GetFunctionList");
    CK_C_INITIALIZE_ARGS arguments{};
    arguments.flags = CKF_OS_LOCKING_OK;
    if (const CK_RV rv = functions_->C_Initialize(&arguments); rv != CKR_OK)
        throw std::runtime_error("C_Initialize failed");
}

CK_RV ModuleHost::tokens(std::vector<wire::Token> &list) {
    std::vector<CK_SLOT_ID> slots(wire::limit::tokens);
    CK_ULONG count = slots.size();
    const CK_RV rv = functions_->C_GetSlotList(CK_TRUE, slots.data(), &count);
    if (rv != CKR_OK && rv != CKR_BUFFER_TOO_SMALL) return rv;
    slots.resize(std::min<std::size_t>(count, rv == CKR_OK ? slots.size() : 0));
    for (const CK_SLOT_ID id : slots) {
        CK_SLOT_INFO slot{};
        CK_TOKEN_INFO info{};
        if (functions_->C_GetSlotInfo(id, &slot) != CKR_OK ||
            functions_->C_GetTokenInfo(id, &info) != CKR_OK ||
            (info.flags & CKF_TOKEN_INITIALIZED) == 0)
            continue;
        wire::Token token;
        token.slot = static_cast<std::uint32_t>(id);
        token.present = true;
        token.serial = field(info.serialNumber);
        token.label = field(info.label);
        token.manufacturer = field(info.manufacturerID);
        token.model = field(info.model);
        token.reader = field(slot.slotDescription);
        token.pin_min = static_cast<std::uint8_t>(std::min<CK_ULONG>(info.ulMinPinLen, 255));
        token.pin_max = static_cast<std::uint8_t>(std::min<CK_ULONG>(info.ulMaxPinLen, 255));
        list.push_back(std::move(token));
    }
    return CKR_OK;
}

CK_RV ModuleHost::choose(const std::string &serial) {
    if (has_session_) return CKR_OK;
    std::vector<wire::Token> list;
    if (const CK_RV rv = tokens(list); rv != CKR_OK) return rv;
    const auto found = std::find_if(list.begin(), list.end(),
                                    [&](const wire::Token &one) { return one.serial == serial; });
    if (found == list.end()) return CKR_TOKEN_NOT_PRESENT;
    slot_ = found->slot;
    CK_RV rv = functions_->C_OpenSession(slot_, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr,
                                         nullptr, &session_);
    if (rv == CKR_TOKEN_WRITE_PROTECTED)
        rv = functions_->C_OpenSession(slot_, CKF_SERIAL_SESSION, nullptr, nullptr, &session_);
    has_session_ = rv == CKR_OK;
    return rv;
}

CK_RV ModuleHost::find(std::vector<CK_ATTRIBUTE> wanted, std::vector<CK_OBJECT_HANDLE> &found) {
    CK_RV rv = functions_->C_FindObjectsInit(session_, wanted.data(), wanted.size());
    if (rv != CKR_OK) return rv;
    found.resize(most_objects);
    CK_ULONG count = 0;
    rv = functions_->C_FindObjects(session_, found.data(), found.size(), &count);
    functions_->C_FindObjectsFinal(session_);
    found.resize(rv == CKR_OK ? std::min<std::size_t>(count, most_objects) : 0);
    return rv;
}

std::optional<std::string> ModuleHost::attribute(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) {
    CK_ATTRIBUTE one{type, nullptr, 0};
    if (functions_->C_GetAttributeValue(session_, object, &one, 1) != CKR_OK ||
        one.ulValueLen > largest_attribute)
        return std::nullopt;
    std::string value(one.ulValueLen, '\0');
    one.pValue = value.data();
    if (functions_->C_GetAttributeValue(session_, object, &one, 1) != CKR_OK) return std::nullopt;
    value.resize(std::min<std::size_t>(value.size(), one.ulValueLen));
    return value;
}

wire::Reply ModuleHost::objects(const std::string &serial) {
    if (const CK_RV rv = choose(serial); rv != CKR_OK) return plain(rv);
    CK_OBJECT_CLASS certificates = CKO_CERTIFICATE;
    std::vector<CK_OBJECT_HANDLE> handles;
    const CK_RV rv = find({{CKA_CLASS, &certificates, sizeof certificates}}, handles);
    if (rv != CKR_OK) return plain(rv);
    std::vector<Handle<X509, X509_free>> owned;
    std::vector<KeyCandidate> candidates;
    for (const CK_OBJECT_HANDLE handle : handles) {
        const auto der = attribute(handle, CKA_VALUE), id = attribute(handle, CKA_ID);
        if (!der || !id || id->empty() || id->size() > wire::limit::name) continue;
        const auto *bytes = reinterpret_cast<const unsigned char *>(der->data());
        Handle<X509, X509_free> certificate(
            d2i_X509(nullptr, &bytes, static_cast<long>(der->size())));
        // An authority's certificate has no key here; which ones have is only seen after a login.
        if (!certificate || X509_check_ca(certificate.get()) == 1) continue;
        auto candidate = std::find_if(candidates.begin(), candidates.end(),
                                      [&](const KeyCandidate &one) { return one.id == *id; });
        if (candidate == candidates.end()) {
            candidates.emplace_back();
            candidate = candidates.end() - 1;
            candidate->id = *id;
            candidate->name = attribute(handle, CKA_LABEL).value_or("").substr(0, 60);
            candidate->role = KeyRole::authenticate;
        }
        candidate->certificates.push_back(certificate.get());
        owned.push_back(std::move(certificate));
    }
    CardFacts facts;
    add_keys(facts, candidates);
    wire::ObjectList list;
    for (KeyFacts &key : facts.keys)
        if (list.keys.size() < wire::limit::keys) list.keys.push_back(std::move(key.key));
    std::size_t room = wire::limit::reply / 2;
    for (wire::Certificate &one : facts.certificates) {
        if (one.der.size() > wire::limit::certificate || one.der.size() + 256 > room ||
            list.certificates.size() == wire::limit::certificates)
            continue;
        room -= one.der.size() + 256;
        list.certificates.push_back(std::move(one));
    }
    return {0, CKR_OK, "", std::move(list)};
}

wire::Reply ModuleHost::pin_states() {
    CK_TOKEN_INFO info{};
    if (const CK_RV rv = functions_->C_GetTokenInfo(slot_, &info); rv != CKR_OK) return plain(rv);
    const auto has = [&](CK_FLAGS flag) { return (info.flags & flag) != 0; };
    wire::PinStates states;
    states.pins = {pin_state("pin", "PIN", has(CKF_USER_PIN_INITIALIZED),
                             has(CKF_USER_PIN_COUNT_LOW), has(CKF_USER_PIN_FINAL_TRY),
                             has(CKF_USER_PIN_LOCKED)),
                   pin_state("puk", "SO PIN", true, has(CKF_SO_PIN_COUNT_LOW),
                             has(CKF_SO_PIN_FINAL_TRY), has(CKF_SO_PIN_LOCKED))};
    return {0, CKR_OK, "", std::move(states)};
}

CK_RV ModuleHost::log_in(CK_USER_TYPE user, const Secret &pin) {
    return functions_->C_Login(session_, user, octets(pin), pin.size());
}

CK_RV ModuleHost::change(const wire::ChangePin &request) {
    // C_SetPIN by itself would do; but some modules tell a wrong PIN only at C_Login.
    const CK_RV rv = log_in(CKU_USER, request.old_pin);
    if (rv != CKR_OK && rv != CKR_USER_ALREADY_LOGGED_IN) return rv;
    return functions_->C_SetPIN(session_, octets(request.old_pin), request.old_pin.size(),
                                octets(request.new_pin), request.new_pin.size());
}

CK_RV ModuleHost::unblock(const wire::UnblockPin &request) {
    if (!request.new_pin) return CKR_ARGUMENTS_BAD;
    functions_->C_Logout(session_);
    CK_RV rv = log_in(CKU_SO, request.puk);
    if (rv != CKR_OK) return rv;
    rv = functions_->C_InitPIN(session_, octets(*request.new_pin), request.new_pin->size());
    functions_->C_Logout(session_);
    return rv;
}

CK_RV ModuleHost::private_key(const std::string &id, CK_OBJECT_HANDLE &key) {
    CK_OBJECT_CLASS keys = CKO_PRIVATE_KEY;
    std::vector<CK_OBJECT_HANDLE> found;
    const CK_RV rv = find(
        {{CKA_CLASS, &keys, sizeof keys}, {CKA_ID, octets(id), static_cast<CK_ULONG>(id.size())}},
        found);
    if (rv != CKR_OK) return rv;
    // Private objects are not there before the login (PKCS#11 2.40, 4.4).
    if (found.empty()) return CKR_USER_NOT_LOGGED_IN;
    key = found.front();
    return CKR_OK;
}

namespace {

/// By wire::Hash: CKM_ and CKG_MGF1_.
struct Hashes {
    CK_MECHANISM_TYPE mechanism;
    CK_RSA_PKCS_MGF_TYPE mgf;
};
Hashes numbers_of(wire::Hash hash) {
    switch (hash) {
    case wire::Hash::sha1:
        return {CKM_SHA_1, CKG_MGF1_SHA1};
    case wire::Hash::sha384:
        return {CKM_SHA384, CKG_MGF1_SHA384};
    case wire::Hash::sha512:
        return {CKM_SHA512, CKG_MGF1_SHA512};
    case wire::Hash::sha256:
        break;
    }
    return {CKM_SHA256, CKG_MGF1_SHA256};
}

} // namespace

wire::Reply ModuleHost::sign(const wire::Sign &request) {
    CK_OBJECT_HANDLE key = 0;
    if (const CK_RV rv = private_key(request.key, key); rv != CKR_OK) return plain(rv);
    // The daemon has written the DigestInfo: all modules know the plain mechanism.
    CK_MECHANISM mechanism{CKM_RSA_PKCS, nullptr, 0};
    CK_RSA_PKCS_PSS_PARAMS pss{};
    if (const auto *wanted = std::get_if<wire::PssSignature>(&request.scheme)) {
        pss = {numbers_of(wanted->hash).mechanism, numbers_of(wanted->mgf).mgf, wanted->salt};
        mechanism = {CKM_RSA_PKCS_PSS, &pss, sizeof pss};
    }
    CK_RV rv = functions_->C_SignInit(session_, &mechanism, key);
    if (rv != CKR_OK) return plain(rv);
    std::string signature(wire::limit::input, '\0');
    CK_ULONG size = signature.size();
    rv = functions_->C_Sign(session_, octets(request.input), request.input.size(),
                            octets(signature), &size);
    if (rv != CKR_OK) return plain(rv);
    signature.resize(std::min<std::size_t>(size, signature.size()));
    return {0, CKR_OK, "", wire::Signature{std::move(signature)}};
}

wire::Reply ModuleHost::decrypt(const wire::Decrypt &request) {
    CK_OBJECT_HANDLE key = 0;
    if (const CK_RV rv = private_key(request.key, key); rv != CKR_OK) return plain(rv);
    CK_MECHANISM mechanism{CKM_RSA_PKCS, nullptr, 0};
    CK_RSA_PKCS_OAEP_PARAMS oaep{};
    if (const auto *wanted = std::get_if<wire::OaepEncryption>(&request.scheme)) {
        oaep.hashAlg = numbers_of(wanted->hash).mechanism;
        oaep.mgf = numbers_of(wanted->mgf).mgf;
        oaep.source = CKZ_DATA_SPECIFIED;
        oaep.pSourceData = wanted->label.empty() ? nullptr : octets(wanted->label);
        oaep.ulSourceDataLen = wanted->label.size();
        mechanism = {CKM_RSA_PKCS_OAEP, &oaep, sizeof oaep};
    }
    CK_RV rv = functions_->C_DecryptInit(session_, &mechanism, key);
    if (rv != CKR_OK) return plain(rv);
    Secret text(wire::limit::input);
    text.resize(text.capacity());
    CK_ULONG size = text.size();
    rv = functions_->C_Decrypt(session_, octets(request.input), request.input.size(), octets(text),
                               &size);
    if (rv != CKR_OK) return plain(rv);
    text.resize(std::min<std::size_t>(size, text.size()));
    return {0, CKR_OK, "", wire::Plaintext{std::move(text)}};
}

wire::Reply ModuleHost::answer(const wire::Request &request) {
    if (std::holds_alternative<wire::ListTokens>(request)) {
        wire::TokenList list;
        const CK_RV rv = tokens(list.tokens);
        return rv == CKR_OK ? wire::Reply{0, CKR_OK, "", std::move(list)} : plain(rv);
    }
    if (const auto *one = std::get_if<wire::ListObjects>(&request)) return objects(one->serial);
    if (!has_session_) return plain(CKR_SESSION_HANDLE_INVALID);
    if (std::holds_alternative<wire::PinStatus>(request)) return pin_states();
    if (const auto *one = std::get_if<wire::Login>(&request))
        return plain(one->pin ? log_in(CKU_USER, *one->pin) : CKR_ARGUMENTS_BAD);
    if (const auto *one = std::get_if<wire::ChangePin>(&request)) return plain(change(*one));
    if (const auto *one = std::get_if<wire::UnblockPin>(&request)) return plain(unblock(*one));
    if (const auto *one = std::get_if<wire::Sign>(&request)) return sign(*one);
    if (const auto *one = std::get_if<wire::Decrypt>(&request)) return decrypt(*one);
    return plain(CKR_FUNCTION_NOT_SUPPORTED);
}

} // namespace demail::broker
