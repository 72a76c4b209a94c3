#include "relay/interrupted.hpp"

#include "base/log.hpp"

#include <utility>

namespace demail::relay {

namespace {

/// In one transaction: a delivery that comes meanwhile waits for it.
constexpr std::size_t at_once = 20'000;
/// Between two of them, for deliveries: SQLite has one connection.
constexpr std::chrono::milliseconds pause{100};

} // namespace

/// False where something is left.
template <typename Condition>
bool Interrupted::settle(Condition go_on) {
    std::size_t count = 0;
    bool all = false;
    try {
        do {
            const std::size_t settled = journal_.settle_interrupted(clock_(), at_once);
            count += settled;
            all = settled < at_once;
        } while (!all && go_on());
    } catch (const journal::Unavailable &error) {
        // Mail waits in Postfix until it is there, and each such submission is looked up then.
        log::event(log::Level::error, "journal", {{"reason", error.what()}});
        all = true;
    }
    if (count > 0)
        log::event(log::Level::warning, "uncertain",
                   {{"count", std::to_string(count)},
                    {"reason", "an earlier run ended before their outcome was known"}});
    return all;
}

Interrupted::Interrupted(journal::Journal &journal, Clock clock, std::chrono::milliseconds patience)
    : journal_(journal), clock_(std::move(clock)) {
    const auto end = std::chrono::steady_clock::now() + patience;
    if (settle([&] { return std::chrono::steady_clock::now() < end; })) return;
    thread_ = std::thread([this] {
        settle([this] {
            std::unique_lock lock(mutex_);
            return !wake_.wait_for(lock, pause, [this] { return ending_; });
        });
    });
}

Interrupted::~Interrupted() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
}

} // namespace demail::relay
