// The journal's connections: lent to one call each, made when they are needed, made anew when the
// database has gone away.
#pragma once

#include "journal/database.hpp"

#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace demail::journal {

/// Thread-safe.
class Pool {
    struct Use {
        std::chrono::steady_clock::time_point began;
        Connection *connection;
    };

  public:
    explicit Pool(std::unique_ptr<Database> database);
    Pool(const Pool &) = delete;
    Pool &operator=(const Pool &) = delete;
    ~Pool();

    [[nodiscard]] const Dialect &dialect() const noexcept { return database_->dialect(); }

    /// One call's connection.
    class Lent {
      public:
        explicit Lent(Pool &pool);
        Lent(const Lent &) = delete;
        Lent &operator=(const Lent &) = delete;
        ~Lent();
        Connection *operator->() const noexcept { return connection_.get(); }
        Connection &operator*() const noexcept { return *connection_; }
        /// It has failed: the next call gets a new one.
        void discard() noexcept { failed_ = true; }

      private:
        Pool &pool_;
        std::unique_ptr<Connection> connection_;
        std::list<Use>::iterator use_;
        bool failed_ = false;
    };

  private:
    std::unique_ptr<Connection> take_idle();
    void watch();

    const std::unique_ptr<Database> database_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::unique_ptr<Connection>> idle_;
    std::list<Use> in_use_; ///< with those that are being opened: no connection yet
    bool ending_ = false;
    std::thread watchman_; ///< cuts what takes too long
};

} // namespace demail::journal
