#include "programs/ctl_card_daemon.hpp"

#include "daemon/exit.hpp"
#include "programs/ctl_screen.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <utility>

namespace demail::ctl {
namespace {

/// A little more than demail-cardd gives itself.
constexpr std::chrono::seconds patience{65};

} // namespace

std::variant<wire::Reply, ExitCode> CardDaemon::ask(const wire::Request &request) {
    auto answer = client_.call(request, wire::Clock::now() + patience);
    if (auto *reply = std::get_if<wire::Reply>(&answer)) return std::move(*reply);
    complain(std::get<wire::NoReply>(answer).sentence);
    return ExitCode{exit_unavailable};
}

void tell(const std::string &sentence) {
    print(visible(sentence) + "\n");
    std::fflush(stdout); // before a prompt
}

std::string called(const wire::PinState &pin) {
    return fmt::format("{} ({})", pin.label, pin.name);
}

std::string tries_of(const wire::PinState &pin) {
    if (!pin.tries_left) return "how many tries are left is not known";
    return *pin.tries_left == 1 ? "1 try is left"
                                : fmt::format("{} tries are left", *pin.tries_left);
}

const wire::PinState *find_pin(const wire::PinStates &states, const std::string &name) {
    const auto found =
        std::find_if(states.pins.begin(), states.pins.end(), [&](const wire::PinState &pin) {
            return name.empty() ? pin.guards_keys : pin.name == name;
        });
    return found == states.pins.end() ? nullptr : &*found;
}

} // namespace demail::ctl
