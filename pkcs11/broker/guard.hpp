// Whether a PIN may be sent to the card now. Asked before every VERIFY, with what the card said a
// moment ago. Pure, thread-safe.
#pragma once

#include "broker/driver.hpp"
#include "broker/latch.hpp"

#include <optional>
#include <string>

namespace demail::broker {

enum class Asker {
    held,           ///< the held PIN again, which this card has accepted before
    program,        ///< a PIN file, a program's C_Login
    person,         ///< demailctl
    person_last_try ///< demailctl --last-try
};

struct Question {
    std::string pin; ///< how it is called in sentences: "PIN pin1"
    PinStand stand;  ///< what the card said just now
    Asker asker = Asker::program;
    int reserve_tries = 2; ///< no program lets the counter fall below
    std::optional<Latch> latch;
    std::string unlock; ///< what a person would type: "demailctl unlock"
};

/// Why not; nothing is sent to the card then.
struct Held {
    wire::Rv rv;
    std::string sentence;
};
/// nullopt: it may be sent.
[[nodiscard]] std::optional<Held> guard(const Question &question);

} // namespace demail::broker
