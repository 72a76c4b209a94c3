// What the relay's control socket can do.
#pragma once

#include "daemon/control.hpp"
#include "journal/journal.hpp"
#include "relay/domain_keeper.hpp"
#include "relay/service.hpp"

#include <map>
#include <string>

namespace demail {

/// `status`, `domains`, `domains-refresh`, `domains-accept D`, `domains-forget D`, `resume
/// ACCOUNT`, and those of HistoryAnswers. The parts must outlive the commands.
[[nodiscard]] std::map<std::string, ControlCommand, std::less<>>
control_commands(relay::Service &service, relay::DomainKeeper &domains, journal::Journal &journal);

} // namespace demail
