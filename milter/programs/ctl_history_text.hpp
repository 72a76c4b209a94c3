// The answers of history_answers.hpp as a person reads them. Pure but for the time zone.
#pragma once

#include "programs/ctl_screen.hpp"

#include <nlohmann/json.hpp>
#include <string>

namespace demail::ctl {

[[nodiscard]] std::string list_text(const nlohmann::json &answer, const Screen &screen);
/// Of show and trace; "" where nothing was found. `whole`: all submissions of a hand-over are
/// meant, and those left out are counted.
[[nodiscard]] std::string stories_text(const nlohmann::json &answer, bool whole,
                                       const Screen &screen);

} // namespace demail::ctl
