#include "journal/postgresql_settings.hpp"

#include "base/handle.hpp"
#include "journal/journal.hpp"

#include <libpq-fe.h>

#include <array>
#include <map>
#include <utility>

namespace demail::journal {

namespace {

constexpr std::array<std::pair<const char *, const char *>, 7> defaults{{
    {"application_name", "demail-relay"},
    {"connect_timeout", "5"},
    {"keepalives_idle", "10"},
    {"keepalives_interval", "5"},
    {"keepalives_count", "3"},
    {"tcp_user_timeout", "10000"},
    // With several hosts in the URI: the one that is not a standby.
    {"target_session_attrs", "read-write"},
}};

// SOCI takes the string apart at blanks before libpq sees it, and joins "-c" with what follows.
constexpr std::string_view server_limits = "-cstatement_timeout=8s -clock_timeout=4s "
                                           "-cidle_in_transaction_session_timeout=30s";

std::string quoted(std::string_view value) {
    std::string text = "'";
    for (const char c : value) {
        if (c == '\'' || c == '\\') text += '\\';
        text += c;
    }
    return text + "'";
}

} // namespace

std::string postgresql_settings(const std::string &url) {
    char *message = nullptr;
    const Handle<PQconninfoOption, ::PQconninfoFree> parsed(
        ::PQconninfoParse(url.c_str(), &message));
    const Handle<void, ::PQfreemem> message_owner(message);
    if (!parsed)
        throw Unavailable(std::string("journal: ") +
                          (message != nullptr ? message : "no memory for the URI"));
    std::map<std::string, std::string> settings(defaults.begin(), defaults.end());
    std::string options(server_limits);
    for (const PQconninfoOption *one = parsed.get(); one->keyword != nullptr; ++one) {
        if (one->val == nullptr) continue;
        if (std::string_view(one->keyword).ends_with("password"))
            throw Unavailable("journal: a password does not belong into the URI; name a file with "
                              "passfile=");
        if (std::string_view(one->keyword) == "options")
            options.append(" ").append(one->val); // the last one counts
        else
            settings[one->keyword] = one->val;
    }
    settings["options"] = options;
    settings["client_encoding"] = "UTF8";
    std::string text;
    for (const auto &[keyword, value] : settings)
        text += keyword + "=" + quoted(value) + " ";
    return text;
}

} // namespace demail::journal
