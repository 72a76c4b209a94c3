// Which of the watched domains DNS names as De-Mail (demail.toml(5), [hints]).
#pragma once

#include "admin/configuration.hpp"
#include "dns/de_mail_srv.hpp"
#include "message/domain_lines.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace demail::directory {

struct HintAnswers {
    DomainNames hinted;
    std::vector<std::string> not_known; ///< these stay as they were
    bool complete = false;              ///< false: DNS is away, and nothing is to be concluded
};

/// Asks for each of `watched`; what is not known of one stays as `before` has it. Asks no more when
/// timeouts show that DNS is away. Pure but for `ask`.
[[nodiscard]] HintAnswers
ask_for_hints(const DomainNames &watched, const DomainNames &before,
              const std::function<dns::SrvAnswer(const std::string &)> &ask);

/// Whether the file is missing or older than `refresh`, than the watched file, or than the
/// configuration.
[[nodiscard]] bool hints_due(const HintsConfiguration &wish, const std::string &configuration_file,
                             std::int64_t now);

/// Asks DNS and writes the file, whose time becomes `now`: when it was asked. A sentence where the
/// file was left as it was; "" where it is there and new. Logs what is new in it.
[[nodiscard]] std::string fetch_hints(const HintsConfiguration &wish, std::int64_t now);

} // namespace demail::directory
