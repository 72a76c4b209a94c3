#include "journal/pool.hpp"

#include "journal/journal.hpp"

namespace demail::journal {

using std::chrono::steady_clock;

namespace {

constexpr std::chrono::seconds patience{20}; ///< for another call to give its connection back

} // namespace

Pool::Pool(std::unique_ptr<Database> database) : database_(std::move(database)) {
    if (database_->time_limit().count() > 0) watchman_ = std::thread([this] { watch(); });
}

Pool::~Pool() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    changed_.notify_all();
    if (watchman_.joinable()) watchman_.join();
}

Pool::Lent::Lent(Pool &pool) : pool_(pool) {
    {
        std::unique_lock lock(pool_.mutex_);
        const std::size_t most = pool_.database_->connections();
        if (!pool_.changed_.wait_for(lock, patience, [&] { return pool_.in_use_.size() < most; }))
            throw Unavailable("the journal is too busy");
        connection_ = pool_.take_idle();
        use_ = pool_.in_use_.insert(pool_.in_use_.end(), {steady_clock::now(), connection_.get()});
    }
    if (connection_ != nullptr) return;
    try {
        connection_ = pool_.database_->connect();
        {
            const std::lock_guard lock(pool_.mutex_);
            *use_ = {steady_clock::now(), connection_.get()};
        }
        connection_->prepare();
    } catch (...) {
        const std::lock_guard lock(pool_.mutex_);
        pool_.in_use_.erase(use_);
        pool_.changed_.notify_all();
        throw;
    }
}

Pool::Lent::~Lent() {
    // A transaction that could not be rolled back is not handed on.
    const bool good = !failed_ && connection_->usable();
    {
        const std::lock_guard lock(pool_.mutex_);
        pool_.in_use_.erase(use_);
        if (good) pool_.idle_.push_back(std::move(connection_));
    }
    pool_.changed_.notify_all();
}

/// The one that was used last; those that a restart of the database has ended are dropped.
std::unique_ptr<Connection> Pool::take_idle() {
    while (!idle_.empty()) {
        std::unique_ptr<Connection> taken = std::move(idle_.back());
        idle_.pop_back();
        if (taken->usable()) return taken;
    }
    return nullptr;
}

void Pool::watch() {
    std::unique_lock lock(mutex_);
    while (!changed_.wait_for(lock, std::chrono::seconds(1), [this] { return ending_; })) {
        const auto late = steady_clock::now() - database_->time_limit();
        for (const Use &use : in_use_)
            if (use.connection != nullptr && use.began < late) use.connection->cut();
    }
}

} // namespace demail::journal
