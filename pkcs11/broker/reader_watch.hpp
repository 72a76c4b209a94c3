// Which readers pcscd has and whether a card is in them, kept up to date by a thread of its own.
// Thread-safe.
#pragma once

#include "broker/driver.hpp"
#include "tcos/pcsc.hpp"

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace demail::broker {

class ReaderWatch {
  public:
    /// `changed` is called on the watch's thread after each change, with the readers' names, and
    /// once at the beginning.
    using Changed = std::function<void(const ReaderWatch &, const std::vector<std::string> &)>;
    explicit ReaderWatch(Changed changed);
    ~ReaderWatch();
    ReaderWatch(const ReaderWatch &) = delete;
    ReaderWatch &operator=(const ReaderWatch &) = delete;

    [[nodiscard]] Presence presence(const std::string &reader) const;

  private:
    void run();

    Changed changed_;
    tcos::Readers readers_;
    mutable std::mutex mutex_;
    bool service_ = false;                  ///< behind mutex_
    std::uint64_t services_ = 0;            ///< behind mutex_; pcscd's restarts
    std::vector<tcos::ReaderState> states_; ///< behind mutex_
    std::atomic<bool> stop_{false};
    std::thread thread_;
};

} // namespace demail::broker
