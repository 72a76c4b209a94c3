// What doctor says of Postfix's configuration: the lines that are missing, and what undoes those
// that stand (contracts.md, "Postfix, the whole of it"). Pure, thread-safe: facts in, checks out.
#pragma once

#include "message/domain_set.hpp"
#include "programs/ctl_doctor_check.hpp"
#include "programs/ctl_postfix_lines.hpp"
#include "programs/ctl_postfix_list.hpp"
#include "programs/ctl_postfix_tables.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace demail::ctl {

/// Another Postfix of this host (postmulti(1)); nullopt: what it strips is not told.
struct OtherInstance {
    std::string directory;
    std::optional<bool> strips_seals;
};

struct PostfixView {
    PostfixFacts facts;
    Wishes wishes;
    std::string directory; ///< of its configuration
    Tables tables;         ///< those of tables_to_look_at()
    DomainSet domains;     ///< as the relay's list has them
    std::chrono::seconds seal_lifetime{};
    bool reinjection = false; ///< [milter] reinjection names somebody
    std::vector<OtherInstance> others;
};

/// A parameter's value where it counts: in main.cf, or in the -o of a service.
struct Setting {
    std::string where;   ///< "/etc/postfix/main.cf: soft_bounce"
    std::string service; ///< "10025 inet"; "" in main.cf
    std::string value;   ///< expanded
};

/// The services of master.cf that run `command`, with what is in force for them.
class Service {
  public:
    Service(const PostfixView &view, const MasterLine &line) : view_(view), line_(line) {}
    [[nodiscard]] std::string name() const { return line_.name + " " + line_.type; }
    [[nodiscard]] const MasterLine &line() const noexcept { return line_; }
    [[nodiscard]] std::optional<std::string> override_of(std::string_view parameter) const;
    [[nodiscard]] std::string value(std::string_view parameter) const; ///< -o, else main.cf
    [[nodiscard]] std::string where(std::string_view parameter) const;
    /// Reached from this host alone.
    [[nodiscard]] bool on_loopback() const;

  private:
    const PostfixView &view_;
    MasterLine line_;
};
[[nodiscard]] std::vector<Service> services_of(const PostfixView &view);
/// In main.cf, where it is known there, and in each service's -o.
[[nodiscard]] std::vector<Setting> settings_of(const PostfixView &view, std::string_view parameter);

/// Where an address's mail goes.
enum class Home { here, demail, elsewhere, unknown };
[[nodiscard]] Home home_of(const PostfixView &view, std::string_view address);
/// Tables that name domains of this host.
[[nodiscard]] std::vector<std::string> tables_of_own_domains(const PostfixView &view);

/// What demailctl has to look up for the checks: tables with the keys to ask for.
struct TableQuestion {
    std::string element;
    std::vector<std::string> keys;
};
[[nodiscard]] std::vector<TableQuestion> tables_to_look_at(const PostfixView &view);

/// A table whose actions steer mail, and the place that names it.
struct UsedTable {
    std::string where, parameter, element;
};
[[nodiscard]] std::vector<UsedTable> action_tables(const PostfixView &view);

/// All of it.
[[nodiscard]] Checks check_postfix(const PostfixView &view);

// Its parts:
/// Postfix's version, and each line of contracts.md.
void check_lines(const PostfixView &view, Checks &checks);
/// Services and settings that take mail past the milter or undo a line.
void check_services(const PostfixView &view, Checks &checks);
void check_settings(const PostfixView &view, Checks &checks);
/// Tables that take De-Mails elsewhere, or a copy of them.
void check_routes(const PostfixView &view, Checks &checks);
void check_actions(const PostfixView &view, Checks &checks);

/// content_filter or a FILTER action: `destination` is "transport:next hop".
void check_filter(const PostfixView &view, Checks &checks, const std::string &name,
                  const std::string &where, const std::string &destination);

} // namespace demail::ctl
