// demailctl's words for the card.
#pragma once

#include "programs/ctl_card.hpp"

#include <CLI/CLI.hpp>
#include <functional>

namespace demail::ctl {

/// Adds unlock, lock, pin and card to `app`; the one that is chosen sets `action`. All three
/// outlive the parsing.
void add_card_commands(CLI::App &app, CardWords &words, std::function<int()> &action);

} // namespace demail::ctl
