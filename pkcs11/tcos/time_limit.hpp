// A time limit for a Transport whose transmit() may never return: libpcsclite cannot be interrupted
// while a card hangs. A thread of its own owns the transport; after the limit it is left behind and
// ends by itself when the call returns.
#pragma once

#include "tcos/transport.hpp"

#include <chrono>
#include <memory>

namespace demail::tcos {

class TimeLimit : public Transport {
  public:
    /// `limit` for each APDU. A key operation takes a second on old cards; 10 s is a good limit.
    TimeLimit(std::unique_ptr<Transport> transport, std::chrono::milliseconds limit);
    /// Waits for the transport's end as long as `limit` at most.
    ~TimeLimit() override;
    TimeLimit(const TimeLimit &) = delete;
    TimeLimit &operator=(const TimeLimit &) = delete;

    /// Loss::timed_out after the limit, and from then on at once. The command may hold a PIN: the
    /// thread's copy is wiped before an answer is given, or when the thread ends.
    [[nodiscard]] Transmitted transmit(View command, std::span<unsigned char> answer) override;

  private:
    struct Desk;
    std::shared_ptr<Desk> desk_;
    std::chrono::milliseconds limit_;
};

} // namespace demail::tcos
