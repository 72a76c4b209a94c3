#include "broker/reader_watch.hpp"

#include "base/log.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>
#include <variant>

namespace demail::broker {

using namespace std::chrono_literals;

ReaderWatch::ReaderWatch(Changed changed)
    : changed_(std::move(changed)), thread_([this] { run(); }) {}

ReaderWatch::~ReaderWatch() {
    stop_ = true;
    readers_.cancel();
    thread_.join();
}

void ReaderWatch::run() {
    std::vector<tcos::ReaderState> known;
    bool first = true, service = false;
    while (!stop_) {
        auto found = first ? readers_.now() : readers_.change(known, 30s);
        const bool there = std::holds_alternative<std::vector<tcos::ReaderState>>(found);
        std::vector<tcos::ReaderState> now;
        if (there) now = std::get<std::vector<tcos::ReaderState>>(std::move(found));
        if (first || there != service || now != known) {
            std::vector<std::string> names;
            for (const tcos::ReaderState &state : now)
                names.push_back(state.name);
            {
                const std::lock_guard lock(mutex_);
                service_ = there;
                services_ += there && !service ? 1 : 0;
                states_ = now;
            }
            if (there != service || (first && !there))
                log::event(there ? log::Level::info : log::Level::warning, "card",
                           {{"state", there ? "pcscd is there" : "pcscd is not there"}});
            known = std::move(now);
            service = there;
            first = false;
            try {
                changed_(*this, names);
            } catch (const std::exception &error) {
                log::event(log::Level::error, "card", {{"reason", error.what()}});
            }
        }
        // change() returns at once without pcscd.
        for (int i = 0; !there && !stop_ && i < 4; ++i)
            std::this_thread::sleep_for(50ms);
    }
}

Presence ReaderWatch::presence(const std::string &reader) const {
    const std::lock_guard lock(mutex_);
    Presence presence;
    presence.reader = reader;
    if (!service_) return presence;
    const auto state =
        std::find_if(states_.begin(), states_.end(),
                     [&](const tcos::ReaderState &one) { return one.name == reader; });
    presence.kind = state == states_.end() ? Presence::Kind::no_reader
                    : state->card          ? Presence::Kind::card
                                           : Presence::Kind::no_card;
    // The upper half of PC/SC's state counts insertions and removals, for one run of pcscd.
    const std::uint64_t events = state == states_.end() ? 0 : state->pcsc >> 16U;
    presence.events = services_ << 16U | events;
    return presence;
}

} // namespace demail::broker
