// The lists of main.cf and the words of master.cf (postconf(5), master(5)). Pure, thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace demail::ctl {

/// The elements of a list in main.cf, between commas and white space; braces keep together.
[[nodiscard]] std::vector<std::string> list_elements(std::string_view value);
/// The words of a line of master.cf, between white space; braces keep together.
[[nodiscard]] std::vector<std::string> master_words(std::string_view line);
/// What stands between an element's braces, trimmed; the element itself where it has none.
[[nodiscard]] std::string_view without_braces(std::string_view element);
/// Without any white space: two spellings of one thing are equal.
[[nodiscard]] std::string without_blanks(std::string_view text);
[[nodiscard]] std::string joined(const std::vector<std::string> &elements);

/// Our table of this name (contrib/postfix), wherever package or sandbox put it.
[[nodiscard]] bool is_our_table(std::string_view element, std::string_view name);

/// An element of smtpd_milters: "unix:x" or "{ unix:x, default_action=tempfail }".
struct MilterElement {
    explicit MilterElement(std::string_view element);
    std::string endpoint;
    std::vector<std::string> settings; ///< "name=value", without blanks
    [[nodiscard]] bool has(std::string_view setting) const;
};

/// A line of master.cf as postconf -M shows it.
struct MasterLine {
    explicit MasterLine(std::string_view line);
    std::string name, type, command;   ///< "" where the line is too short
    bool open_to_all = false;          ///< private: n
    std::vector<std::string> settings; ///< of its -o options: "name=value", trimmed around both
    /// Of several for one name the last one counts, as Postfix takes them.
    [[nodiscard]] bool has(std::string_view setting) const;
    /// The value of a setting; "" where there is none.
    [[nodiscard]] std::string value(std::string_view name) const;

  private:
    [[nodiscard]] const std::string *last_of(std::string_view wanted) const;
};

} // namespace demail::ctl
