// Postfix's lines for De-Mail (contracts.md, "Postfix, the whole of it") joined with what stands in
// its main.cf and master.cf. Pure, thread-safe.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace demail::ctl {

/// What postconf(1) tells.
struct PostfixFacts {
    using Settings = std::map<std::string, std::string, std::less<>>;
    Settings settings;                 ///< postconf: as written, or the default
    Settings expanded;                 ///< postconf -x: without $name
    std::vector<std::string> services; ///< postconf -M, a line each
    /// postconf -Px: "service/type/parameter" → the value of its last -o, without $name
    Settings overrides;
    /// "name = value" lines → settings.
    static Settings parse(std::string_view output);
    /// Expanded; "" where Postfix does not know it.
    [[nodiscard]] std::string value(std::string_view name) const;
};

/// A list of tables by which smtp(8) takes seals out of mail to the Internet, and ours, its first.
struct SealChecks {
    const char *parameter, *table;
    [[nodiscard]] bool first_in(std::string_view value) const;
};
inline constexpr SealChecks seal_checks[] = {{"smtp_header_checks", "strip-seal"},
                                             {"smtp_nested_header_checks", "strip-seal"},
                                             {"smtp_body_checks", "strip-seal-lines"}};

/// What demail.toml and the installation say, in Postfix's words.
struct Wishes {
    std::string milter_socket; ///< below the queue directory where it lies there, else absolute
    std::string milter_path;   ///< absolute
    std::string lmtp_socket;   ///< as milter_socket
    std::string domains;       ///< the domain list's path
    std::string tables;  ///< the directory of strip-seal and the other tables (contrib/postfix)
    std::string inbound; ///< the smtpd service for inbound De-Mails; "" where there is none
};

/// `path` as a chrooted Postfix daemon sees it.
[[nodiscard]] std::string below_queue_directory(const std::string &path,
                                                const std::string &queue_directory);

struct PostfixLine {
    std::string name;    ///< of the parameter or the service
    std::string line;    ///< as it is to stand in the file
    bool stands = false; ///< nothing to do
    std::string was;     ///< the value or line that it replaces; "" for none
    std::string note;    ///< what else there is to know
};

struct PostfixLines {
    std::vector<PostfixLine> main_cf, master_cf;
    [[nodiscard]] bool complete() const;
};

/// A line that stands is given as it stands.
[[nodiscard]] PostfixLines postfix_lines(const PostfixFacts &facts, const Wishes &wishes);

} // namespace demail::ctl
