// demailctl's end of the wire to demail-cardd.
#pragma once

#include "programs/ctl_card.hpp"
#include "wire/client.hpp"

#include <string>
#include <variant>

namespace demail::ctl {

/// What a command ends with, said already.
struct ExitCode {
    int code;
};

class CardDaemon {
  public:
    explicit CardDaemon(const CardWords &words)
        : client_(words.socket.empty() ? wire::default_socket() : words.socket) {}

    /// The reply, whatever its result; where there is none the reason has been said.
    [[nodiscard]] std::variant<wire::Reply, ExitCode> ask(const wire::Request &request);

  private:
    wire::Client client_;
};

/// A line to standard output, from outside made visible.
void tell(const std::string &sentence);

/// The PIN's name for people: "NetKey PIN2 (pin2)".
[[nodiscard]] std::string called(const wire::PinState &pin);
/// "3 tries are left", "1 try is left", "how many tries are left is not known".
[[nodiscard]] std::string tries_of(const wire::PinState &pin);
/// The one that is called so, or the keys' one; nullptr: none.
[[nodiscard]] const wire::PinState *find_pin(const wire::PinStates &states,
                                             const std::string &name);

} // namespace demail::ctl
