// demailctl selftest leak: asks the tables of Postfix's transport_maps for spellings of a De-Mail
// address, says of each whether a letter would leave, and sends probes (ctl_selftest_ways.hpp).
#pragma once

#include "admin/configuration.hpp"
#include "programs/ctl_postfix_tables.hpp"

#include <functional>
#include <string>
#include <vector>

namespace demail::ctl {

struct Probe {
    enum class Outcome { refused, relay, leaves, unknown };
    std::string address;
    Outcome outcome = Outcome::leaves;
    std::string table;  ///< that decides; "" where none knows the address
    std::string answer; ///< its
};

using Lookup = std::function<TableFacts::Answer(const std::string &table, const std::string &key)>;

/// What trivial-rewrite(8) looks up for it: the whole address, the domain, its parents.
[[nodiscard]] std::vector<std::string> keys_of(const std::string &address);

/// As trivial-rewrite(8) looks up: the whole address in every table, then the domain and its
/// parents in those that are no patterns (transport(5)). A table that does not answer ends it.
/// Pure, but for `lookup`.
[[nodiscard]] Probe judge_probe(const std::string &address, const std::vector<std::string> &tables,
                                const Lookup &lookup);

/// The spellings asked for, of an address at leak-probe.de-mail.de and, where there is one, at
/// `other`, a De-Mail domain in normal form that is not below de-mail.de.
[[nodiscard]] std::vector<std::string> probe_addresses(const std::string &other);

/// `directory`: Postfix's configuration; "": what demail.toml says, else Postfix's default.
/// `tables_alone`: sends no probes. Exit code: 0 none would leave, 1 one would, 2 where that cannot
/// be told, 69 where Postfix or its log cannot be asked.
[[nodiscard]] int selftest_leak(const Configuration &configuration, std::string directory,
                                bool tables_alone, bool json);

} // namespace demail::ctl
