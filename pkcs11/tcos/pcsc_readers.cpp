#include "tcos/pcsc.hpp"
#include "tcos/pcsc_look.hpp"
#include "tcos/pcsc_loss.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <thread>

namespace demail::tcos {
namespace {

// A reader by this name changes when a reader comes or goes (SCardGetStatusChange).
constexpr char any_reader[] = R"(\\?PnP?\Notification)";

std::vector<SCARD_READERSTATE> states_of(const std::vector<ReaderState> &readers) {
    std::vector<SCARD_READERSTATE> states;
    for (const ReaderState &reader : readers) {
        SCARD_READERSTATE state{};
        state.szReader = reader.name.c_str();
        state.dwCurrentState = reader.pcsc;
        states.push_back(state);
    }
    return states;
}

} // namespace

struct Readers::Context {
    // cancel() reads these from another thread.
    std::atomic<SCARDCONTEXT> id{0};
    std::atomic<bool> there{false};
    std::atomic<bool> waiting{false};
    std::atomic<bool> cancelled{false};

    Context() = default;
    Context(const Context &) = delete;
    Context &operator=(const Context &) = delete;
    ~Context() { drop(); }

    bool have() {
        if (there) return true;
        SCARDCONTEXT fresh = 0;
        if (SCardEstablishContext(SCARD_SCOPE_SYSTEM, nullptr, nullptr, &fresh) != SCARD_S_SUCCESS)
            return false;
        id = fresh;
        there = true;
        return true;
    }
    void drop() {
        full.clear(); // another pcscd counts anew
        if (there.exchange(false)) SCardReleaseContext(id);
    }

    std::map<std::string, std::uint32_t> full; ///< the count of each reader when it had a card

    bool found_again(const std::vector<ReaderState> &readers);
    LONG names(std::vector<ReaderState> &to) const;
    LONG list(std::vector<ReaderState> &to) const;
    LONG wait(const std::vector<ReaderState> &known, std::chrono::milliseconds limit);
};

// The list may grow between the question for its size and the question for itself.
LONG Readers::Context::names(std::vector<ReaderState> &to) const {
    to.clear();
    LONG code = SCARD_E_INSUFFICIENT_BUFFER;
    std::string text;
    for (int attempt = 0; attempt < 3 && code == SCARD_E_INSUFFICIENT_BUFFER; ++attempt) {
        DWORD size = 0;
        code = SCardListReaders(id, nullptr, nullptr, &size);
        if (code != SCARD_S_SUCCESS) break;
        text.assign(size, '\0');
        code = SCardListReaders(id, nullptr, text.data(), &size);
    }
    if (code == SCARD_E_NO_READERS_AVAILABLE) return SCARD_S_SUCCESS;
    if (code != SCARD_S_SUCCESS) return code;
    for (std::size_t at = 0; at < text.size() && text[at] != '\0';) {
        to.emplace_back().name = text.c_str() + at;
        at += to.back().name.size() + 1;
    }
    return SCARD_S_SUCCESS;
}

LONG Readers::Context::list(std::vector<ReaderState> &to) const {
    LONG code = names(to);
    if (code != SCARD_S_SUCCESS || to.empty()) return code;
    std::vector<SCARD_READERSTATE> states = states_of(to); // unaware of all: answered at once
    code = SCardGetStatusChange(id, 0, states.data(), static_cast<DWORD>(states.size()));
    if (code != SCARD_S_SUCCESS && code != SCARD_E_TIMEOUT) return code;
    for (std::size_t i = 0; i < to.size(); ++i) {
        const DWORD state = states[i].dwEventState & ~static_cast<DWORD>(SCARD_STATE_CHANGED);
        to[i].pcsc = static_cast<std::uint32_t>(state);
        to[i].card = (state & SCARD_STATE_PRESENT) != 0;
        to[i].mute = (state & SCARD_STATE_MUTE) != 0;
        to[i].in_use = (state & SCARD_STATE_EXCLUSIVE) != 0;
        const std::size_t size = std::min<std::size_t>(states[i].cbAtr, sizeof states[i].rgbAtr);
        to[i].atr.assign(states[i].rgbAtr, states[i].rgbAtr + size);
    }
    return SCARD_S_SUCCESS;
}

LONG Readers::Context::wait(const std::vector<ReaderState> &known,
                            std::chrono::milliseconds limit) {
    std::vector<SCARD_READERSTATE> states = states_of(known);
    SCARD_READERSTATE any{};
    any.szReader = any_reader;
    any.dwCurrentState = static_cast<DWORD>(known.size()) << 16U;
    states.push_back(any);
    waiting = true;
    const LONG code = cancelled
                          ? SCARD_E_CANCELLED
                          : SCardGetStatusChange(id, static_cast<DWORD>(limit.count()),
                                                 states.data(), static_cast<DWORD>(states.size()));
    waiting = false;
    return code;
}

// A card that went without being counted is one that pcscd has lost sight of.
bool Readers::Context::found_again(const std::vector<ReaderState> &readers) {
    bool found = false;
    for (const ReaderState &reader : readers) {
        const std::uint32_t count = reader.pcsc >> 16U;
        const auto before = full.find(reader.name);
        if (reader.card)
            full[reader.name] = count;
        else if (before != full.end() && before->second == count)
            found = look_again(id, reader.name) || found;
    }
    return found;
}

Readers::Readers() : context_(std::make_unique<Context>()) {}
Readers::~Readers() = default;

std::variant<std::vector<ReaderState>, Loss> Readers::now() {
    std::vector<ReaderState> readers;
    // The second attempt is for a pcscd that was restarted since the last call.
    for (int attempt = 0; attempt < 2; ++attempt) {
        if (!context_->have()) return Loss::service_gone;
        LONG code = context_->list(readers);
        if (code == SCARD_S_SUCCESS && context_->found_again(readers))
            code = context_->list(readers);
        if (code == SCARD_S_SUCCESS) return readers;
        context_->drop();
    }
    return Loss::service_gone;
}

std::variant<std::vector<ReaderState>, Loss> Readers::change(const std::vector<ReaderState> &known,
                                                             std::chrono::milliseconds limit) {
    auto readers = now();
    const auto *const current = std::get_if<std::vector<ReaderState>>(&readers);
    if (current == nullptr || *current != known || context_->cancelled.exchange(false))
        return readers;
    const LONG code = context_->wait(known, limit);
    context_->cancelled = false;
    if (code != SCARD_S_SUCCESS && code != SCARD_E_TIMEOUT && code != SCARD_E_CANCELLED) {
        context_->drop();
        if (service_is_gone(code)) return Loss::service_gone;
    }
    return now();
}

// pcscd forgets a cancellation that comes before the wait: repeated until it was heard.
void Readers::cancel() noexcept {
    context_->cancelled = true;
    for (int attempt = 0; attempt < 100 && context_->waiting && context_->cancelled; ++attempt) {
        if (context_->there) SCardCancel(context_->id);
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
}

} // namespace demail::tcos
