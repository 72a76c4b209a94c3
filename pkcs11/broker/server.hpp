// Takes connections at the daemon's socket, a thread for each.
#pragma once

#include "base/handle.hpp"
#include "broker/service.hpp"

#include <sys/types.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

namespace demail::broker {

class Server {
  public:
    /// `service` outlives it.
    Server(Fd listener, Service &service);
    /// Ends all conversations; a request that waits for a card is given up.
    ~Server();
    Server(const Server &) = delete;
    Server &operator=(const Server &) = delete;

  private:
    void run();
    void take(Fd socket);

    Service &service_;
    Fd listener_, stop_;
    std::mutex mutex_;
    std::condition_variable fewer_;
    std::map<uid_t, unsigned> open_; ///< behind mutex_: connections of each user
    unsigned all_ = 0;               ///< behind mutex_
    std::thread thread_;
};

} // namespace demail::broker
