// Postfix's lookup tables (DATABASE_README): what they say, asked of postmap(1) or read from their
// text, and the actions in them. Changes nothing.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace demail::ctl {

/// "proxy:hash:/etc/postfix/x": type hash, name /etc/postfix/x.
struct TableName {
    explicit TableName(std::string_view element);
    std::string type, name;
    /// Each pattern is asked for whole keys alone (regexp_table(5), static, cidr).
    [[nodiscard]] bool of_patterns() const;
};

/// What is known of one table.
struct TableFacts {
    struct Answer {
        bool told = false;                ///< false: the table did not answer
        std::optional<std::string> value; ///< nullopt: it does not have the key
    };
    /// Of an indexed table its entries, "key TAB value" a line, as postmap -s shows them; of a text
    /// file or an inline table the text.
    std::optional<std::string> text;
    using Answers = std::map<std::string, Answer, std::less<>>; ///< by key
    Answers answers;                                            ///< to what was asked
};

/// By the element as it stands in a list of main.cf, expanded.
using Tables = std::map<std::string, TableFacts, std::less<>>;

/// All of them by one postmap(1). Keys have no line ends. `directory`: Postfix's configuration, ""
/// its default. `element` as it stands in main.cf. Where the table fails at one key, those that it
/// did not find are not told.
[[nodiscard]] TableFacts::Answers ask_table(const std::string &directory,
                                            const std::string &element,
                                            const std::vector<std::string> &keys);
/// The directory as there. A table that can be read is not asked for
/// `keys`, unless it is one of patterns.
[[nodiscard]] TableFacts look_at_table(const std::string &directory, const std::string &element,
                                       const std::vector<std::string> &keys);

struct TableEntry {
    std::size_t line = 0; ///< from 1
    std::string key, value;
};
/// The entries of a table's text: comments, if and endif left out, lines that go on joined. Pure.
[[nodiscard]] std::vector<TableEntry> entries_of(std::string_view text, bool patterns);

} // namespace demail::ctl
