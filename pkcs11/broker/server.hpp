// Takes connections at the daemon's socket, a thread for each.
#pragma once

#include "base/handle.hpp"
#include "broker/service.hpp"

#include <sys/types.h>

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

namespace demail::broker {

class Server {
  public:
    /// `service` outlives it. Nobody is answered before `ready` says so, or a few seconds have
    /// passed: who asks a daemon that was just restarted finds the cards that were there before.
    Server(Fd listener, Service &service, std::function<bool()> ready);
    /// Ends all conversations; a request that waits for a card is given up.
    ~Server();
    Server(const Server &) = delete;
    Server &operator=(const Server &) = delete;

  private:
    void run();
    [[nodiscard]] bool wait_until_ready();
    void take(Fd socket);

    Service &service_;
    std::function<bool()> ready_;
    Fd listener_, stop_;
    std::mutex mutex_;
    std::condition_variable fewer_;
    std::map<uid_t, unsigned> open_; ///< behind mutex_: connections of each user
    unsigned all_ = 0;               ///< behind mutex_
    std::thread thread_;
};

} // namespace demail::broker
