#include "crypto/open_token.hpp"

#include "crypto/refused_pins.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <system_error>

namespace demail::crypto {
namespace {

using Reason = TokenUnavailable::Reason;

// A token that answers nonsense must not take the memory of the relay.
constexpr CK_ULONG most_slots = 256;
constexpr CK_ULONG most_mechanisms = 4096;

template <std::size_t N>
std::string padded_text(const unsigned char (&field)[N]) {
    // PKCS#11 2.40 3.2: padded with blanks, not ended by NUL; some modules end it all the same.
    std::string text(reinterpret_cast<const char *>(field), N);
    text.resize(std::min(text.find('\0'), text.size()));
    text.erase(text.find_last_not_of(' ') + 1);
    return text;
}

/// Which other cards are there in place of the one that is missed.
std::string others(const std::vector<PresentToken> &tokens) {
    std::string text;
    for (const PresentToken &token : tokens)
        text += fmt::format("{} \"{}\" (serial {})", text.empty() ? "; another is:" : ",",
                            token.identity.label, token.identity.serial);
    return text;
}

TokenIdentity identity_of(const CK_TOKEN_INFO &info) {
    return {padded_text(info.label), padded_text(info.serialNumber),
            padded_text(info.manufacturerID), padded_text(info.model)};
}

} // namespace

std::vector<PresentToken> present_tokens(const Module &module) {
    const std::lock_guard lock(module.listing());
    std::vector<CK_SLOT_ID> slots;
    // A slot may come between the two calls: ask again, but not for ever.
    for (int round = 1;; ++round) {
        CK_ULONG count = 0;
        expect_ok(module->C_GetSlotList(CK_TRUE, nullptr, &count), "C_GetSlotList");
        slots.resize(std::min(count + 4, most_slots));
        count = slots.size();
        const CK_RV result = module->C_GetSlotList(CK_TRUE, slots.data(), &count);
        if (result == CKR_BUFFER_TOO_SMALL && round < 5) continue;
        expect_ok(result, "C_GetSlotList");
        slots.resize(std::min<std::size_t>(count, slots.size()));
        break;
    }
    std::vector<PresentToken> tokens;
    for (const CK_SLOT_ID slot : slots) {
        CK_TOKEN_INFO info{};
        if (module->C_GetTokenInfo(slot, &info) != CKR_OK) continue;
        if ((info.flags & CKF_TOKEN_INITIALIZED) == 0) continue;
        tokens.push_back({slot, identity_of(info), info.flags});
    }
    return tokens;
}

OpenToken::OpenToken(std::shared_ptr<Module> module, TokenIdentity identity,
                     std::shared_ptr<PinLatch> latch)
    : module_(std::move(module)), identity_(std::move(identity)), latch_(std::move(latch)) {}

OpenToken::~OpenToken() {
    const ErrorQueueMark mark;
    close();
}

void OpenToken::close() noexcept {
    if (is_open()) (void)(*module_)->C_CloseSession(session_);
    session_ = CK_INVALID_HANDLE;
}

void OpenToken::reopen(const PinSource &pin) {
    close();
    pin_ = pin;
    std::vector<PresentToken> tokens;
    try {
        tokens = present_tokens(*module_);
    } catch (const CkError &error) {
        if (error.result != CKR_CRYPTOKI_NOT_INITIALIZED) throw;
        module_->initialise(); // someone else in this process has called C_Finalize
        tokens = present_tokens(*module_);
    }
    const auto found = std::find_if(tokens.begin(), tokens.end(), [this](const auto &token) {
        return token.identity == identity_;
    });
    if (found == tokens.end())
        throw TokenUnavailable(Reason::absent,
                               fmt::format("token \"{}\" (serial {}) is not there{}: put the card "
                                           "back or start its reader",
                                           identity_.label, identity_.serial, others(tokens)));
    expect_ok(
        (*module_)->C_OpenSession(found->slot, CKF_SERIAL_SESSION, nullptr, nullptr, &session_),
        "C_OpenSession");
    has_pin_pad_ = (found->flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0;
    try {
        log_in(found->flags);
        read_mechanisms(found->slot);
    } catch (...) {
        close();
        throw;
    }
    ++generation_;
}

void OpenToken::read_mechanisms(CK_SLOT_ID slot) {
    CK_ULONG count = 0;
    expect_ok((*module_)->C_GetMechanismList(slot, nullptr, &count), "C_GetMechanismList");
    std::vector<CK_MECHANISM_TYPE> list(std::min(count, most_mechanisms));
    count = list.size();
    expect_ok((*module_)->C_GetMechanismList(slot, list.data(), &count), "C_GetMechanismList");
    mechanisms_ = {list.begin(), list.begin() + static_cast<std::ptrdiff_t>(
                                                    std::min<std::size_t>(count, list.size()))};
}

bool OpenToken::is_logged_in() {
    CK_SESSION_INFO state{};
    expect_ok((*module_)->C_GetSessionInfo(session_, &state), "C_GetSessionInfo");
    return state.state == CKS_RO_USER_FUNCTIONS || state.state == CKS_RW_USER_FUNCTIONS;
}

void OpenToken::log_in(CK_FLAGS token_flags) {
    needs_login_ = (token_flags & CKF_LOGIN_REQUIRED) != 0;
    if (!needs_login_) return;
    if (is_logged_in()) return; // by another session of this process (PKCS#11 2.40 5.6)
    if (latch_->refusal) throw *latch_->refusal;
    respect_flags(token_flags);
    const CK_RV result = offer_pin(CKU_USER);
    pin_is_doubtful_ = result != CKR_OK && result != CKR_USER_ALREADY_LOGGED_IN;
    if (pin_is_doubtful_) latch_if_refused(result);
}

void OpenToken::respect_flags(CK_FLAGS token_flags) const {
    const auto stay_out = [this](const char *why) {
        return TokenUnavailable(Reason::locked,
                                fmt::format("token \"{}\" {}", identity_.label, why));
    };
    if ((token_flags & CKF_USER_PIN_LOCKED) != 0)
        throw stay_out("is locked by too many wrong PINs: a person must unblock it with the PUK");
    if ((token_flags & CKF_USER_PIN_FINAL_TRY) != 0)
        throw stay_out("has one PIN try left, which is not used: a person must unlock it once");
    // This process may be the next of many that a supervisor starts with the same wrong PIN; each
    // would cost a try. A person at a PIN pad knows what he does.
    const bool known = accepted_pin_ && !pin_is_doubtful_;
    if ((token_flags & CKF_USER_PIN_COUNT_LOW) != 0 && !known && (pin_.file || !has_pin_pad_))
        throw stay_out("has been given a wrong PIN, so the one of the PIN file is not tried: a "
                       "person must set the file right and log in once by other means, which "
                       "makes the token forget the wrong one");
}

void OpenToken::latch_if_refused(CK_RV result) {
    const CkError error{result, "C_Login"};
    if (refuses_pin(result)) {
        const std::string more = remember_refusal();
        accepted_pin_.reset();
        const TokenUnavailable refusal = explain(error, identity_.label);
        latch_->refusal.emplace(refusal.reason(),
                                fmt::format("{}; it is not tried again before this program is "
                                            "started anew{}",
                                            refusal.what(), more));
        throw *latch_->refusal;
    }
    expect_ok(result, "C_Login");
}

CK_RV OpenToken::offer_pin(CK_USER_TYPE user) {
    if (!accepted_pin_ && !pin_.file) {
        if (!has_pin_pad_)
            throw TokenUnavailable(Reason::locked,
                                   fmt::format("token \"{}\" needs a PIN, and its URI names no "
                                               "pin-source",
                                               identity_.label));
        return (*module_)->C_Login(session_, user, nullptr, 0);
    }
    if (accepted_pin_)
        return (*module_)->C_Login(session_, user, accepted_pin_->data(), accepted_pin_->size());
    return offer_pin_of_file(user);
}

CK_RV OpenToken::offer_pin_of_file(CK_USER_TYPE user) {
    Pin pin = Pin::read(*pin_.file);
    offered_ = pin.origin();
    const RefusedPins refused(pin_.refused_pins);
    refused.begin(identity_, *pin_.file, offered_);
    const CK_RV result = (*module_)->C_Login(session_, user, pin.data(), pin.size());
    if (!refuses_pin(result)) refused.forget(identity_);
    // Kept for the next re-login: the file may hold another one by then, and this one is known to
    // cost no try.
    if (result == CKR_OK) accepted_pin_.emplace(std::move(pin));
    return result;
}

/// What the sentence of the refusal must add.
std::string OpenToken::remember_refusal() const {
    if (!pin_.file || offered_.empty()) return ""; // a person's, at a PIN pad
    try {
        RefusedPins(pin_.refused_pins).refused(identity_, *pin_.file, offered_);
        return "";
    } catch (const std::system_error &error) {
        return fmt::format(", and a new start would try it again, since this could not be written "
                           "down: {}",
                           error.what());
    }
}

std::string OpenToken::sign(CK_MECHANISM &mechanism, CK_OBJECT_HANDLE key, bool always_authenticate,
                            const std::string &input) {
    expect_ok((*module_)->C_SignInit(session_, &mechanism, key), "C_SignInit");
    if (always_authenticate) {
        if (latch_->refusal) throw *latch_->refusal;
        latch_if_refused(offer_pin(CKU_CONTEXT_SPECIFIC));
    }
    std::string bytes = input;
    std::string signature(1024, '\0'); // RSA-8192; no PKCS#11 signature used here is longer
    CK_ULONG size = signature.size();
    expect_ok((*module_)->C_Sign(session_, reinterpret_cast<CK_BYTE *>(bytes.data()), bytes.size(),
                                 reinterpret_cast<CK_BYTE *>(signature.data()), &size),
              "C_Sign");
    signature.resize(std::min<std::size_t>(size, signature.size()));
    return signature;
}

} // namespace demail::crypto
