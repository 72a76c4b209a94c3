// /etc/demail/cardd.toml (cardd.toml(5)). Reading one is pure but for the file itself; thread-safe.
#pragma once

#include "daemon/fault.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace demail::broker {

enum class BackEnd { tcos, module };

/// A [[token]]: which card in which reader, and how it is driven. Empty texts: any.
struct TokenRule {
    BackEnd back_end = BackEnd::tcos;
    std::string reader;    ///< PC/SC's name; * stands for any text
    std::string serial;    ///< the whole ICCSN or its last 16 digits; for a module CK_TOKEN_INFO's
    std::string module;    ///< for BackEnd::module: the PKCS#11 module's file
    std::string pin_file;  ///< unattended; only with serial and an exact reader
    int reserve_tries = 2; ///< no program lets the card's counter fall below
    std::chrono::seconds idle{0};        ///< unpowered after that long without use; 0: never
    std::chrono::seconds call_limit{60}; ///< for BackEnd::module: killed after that long in a call

    [[nodiscard]] bool fits_reader(std::string_view name) const;
    /// `serial` as the card says it.
    [[nodiscard]] bool fits_serial(std::string_view name) const;
};

/// An [[allow]]: who may use which keys.
struct AllowRule {
    std::string key = "*";     ///< the key's label; * stands for any text
    std::string user, group;   ///< exactly one of them is there
    unsigned per_minute = 600; ///< operations of one user with one key; 0: no limit
};

struct Configuration {
    std::string socket = "/run/demail-cardd/socket";
    std::string state = "/var/lib/demail-cardd";
    std::chrono::seconds longest_wait{120}; ///< what a client's deadline is cut to
    std::vector<TokenRule> tokens;          ///< at least one
    std::vector<AllowRule> allowed;         ///< at least one
    std::vector<ConfigurationFault> warnings;
};

/// The configuration, or every fault that `text` has. `file` is for the sentences alone.
[[nodiscard]] std::variant<Configuration, std::vector<ConfigurationFault>>
parse_configuration(std::string_view text, const std::string &file);

/// The same for a file of at most 1 MiB.
[[nodiscard]] std::variant<Configuration, std::vector<ConfigurationFault>>
read_configuration(const std::string &file);

/// What is wrong with the files and names that the configuration speaks of: PIN files, the module,
/// the state directory, users and groups. A credential that only the running unit has is a warning.
[[nodiscard]] ConfigurationReport check_files(const Configuration &configuration,
                                              const std::string &file);

/// Whether `text` fits `pattern`, where * stands for any text, also none.
[[nodiscard]] bool fits(std::string_view pattern, std::string_view text) noexcept;

} // namespace demail::broker
