#include "crypto/token_session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace demail::crypto {
namespace {

using Reason = TokenUnavailable::Reason;
using TokenName = std::pair<std::string, TokenIdentity>; // module path, token

// Process-wide, since login state (PKCS#11 2.40 5.6) and the count of wrong PINs are. Never freed,
// as in module.cpp. A latch stays; a session goes with its last key.
struct Registry {
    std::mutex mutex;
    std::map<TokenName, std::weak_ptr<TokenSession>> sessions;
    std::map<TokenName, std::shared_ptr<PinLatch>> latches;
};

Registry &registry() {
    static auto *const all = new Registry;
    return *all;
}

bool fits(const KeyUri &uri, const PresentToken &token) {
    const auto same = [](const std::optional<std::string> &wanted, const std::string &is) {
        return !wanted || *wanted == is;
    };
    return same(uri.token, token.identity.label) && same(uri.serial, token.identity.serial) &&
           same(uri.manufacturer, token.identity.manufacturer) &&
           same(uri.model, token.identity.model) && same(uri.slot_id, std::to_string(token.slot));
}

std::string wanted(const KeyUri &uri) {
    std::string text;
    const auto add = [&text](const char *name, const std::optional<std::string> &value) {
        if (value) text += fmt::format("{}{} \"{}\"", text.empty() ? "" : ", ", name, *value);
    };
    add("label", uri.token);
    add("serial", uri.serial);
    add("manufacturer", uri.manufacturer);
    add("model", uri.model);
    add("slot", uri.slot_id);
    return text.empty() ? "" : " with " + text;
}

std::string labels(const std::vector<PresentToken> &tokens) {
    std::string text;
    for (const PresentToken &token : tokens)
        text += fmt::format("{}\"{}\" (serial {})", text.empty() ? "" : ", ", token.identity.label,
                            token.identity.serial);
    return text.empty() ? "none" : text;
}

PresentToken the_one(const KeyUri &uri, const std::string &path, std::vector<PresentToken> tokens) {
    std::vector<PresentToken> fitting;
    std::copy_if(tokens.begin(), tokens.end(), std::back_inserter(fitting),
                 [&](const PresentToken &token) { return fits(uri, token); });
    if (fitting.empty())
        throw TokenUnavailable(Reason::absent,
                               fmt::format("no token{} is there; the module {} shows: {}",
                                           wanted(uri), path, labels(tokens)));
    if (fitting.size() > 1)
        throw TokenUnavailable(Reason::no_key,
                               fmt::format("several tokens fit the URI: {}; name one by token= or "
                                           "serial=",
                                           labels(fitting)));
    return fitting.front();
}

std::vector<PresentToken> tokens_of(Module &module) {
    try {
        return present_tokens(module);
    } catch (const CkError &error) {
        if (error.result == CKR_CRYPTOKI_NOT_INITIALIZED) {
            module.initialise();
            try {
                return present_tokens(module);
            } catch (const CkError &) {
            }
        }
        throw TokenUnavailable(
            Reason::module,
            fmt::format("the PKCS#11 module {} does not list its tokens: {} gave {}", module.path(),
                        error.function, ck_name(error.result)));
    }
}

} // namespace

std::shared_ptr<TokenSession> TokenSession::find(const KeyUri &uri,
                                                 std::chrono::milliseconds deadline,
                                                 const std::string &refused_pins) {
    const auto module = Module::load(uri.module(), deadline);
    const PresentToken token =
        the_one(uri, module->path(), Module::run(module, deadline, tokens_of));
    const TokenName name{module->path(), token.identity};
    std::shared_ptr<TokenSession> session;
    {
        const std::lock_guard lock(registry().mutex);
        auto &known = registry().sessions[name];
        session = known.lock();
        if (!session) {
            auto &latch = registry().latches[name];
            if (!latch) latch = std::make_shared<PinLatch>();
            session = std::make_shared<TokenSession>(module, token.identity, latch);
            known = session;
        }
    }
    session->offer({uri.pin_file, refused_pins});
    return session;
}

TokenSession::~TokenSession() {
    // C_CloseSession may hang like any other call, and nobody needs its answer; where the thread
    // does not come to it any more, the session ends with the process.
    OpenToken *const token = token_.release();
    static_cast<void>(thread_.run([token] { delete token; }, std::chrono::seconds(1)));
}

void TokenSession::offer(const PinSource &pin) {
    const std::lock_guard lock(mutex_);
    if (!pin_.file) pin_ = pin;
}

PinSource TokenSession::pin() const {
    const std::lock_guard lock(mutex_);
    return pin_;
}

TokenUnavailable TokenSession::no_answer() const {
    return {
        Reason::no_answer,
        fmt::format("token \"{}\" does not answer: look after the card and its reader", label_)};
}

} // namespace demail::crypto
