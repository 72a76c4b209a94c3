// The tokens of a structured header field or an envelope path (RFC 5322 3.2, RFC 5321 4.1.2).
// Comments and white space are passed over. Linear in the text's length, no recursion.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace demail {

struct Token {
    enum class Kind {
        end,
        atom,    ///< octets that are neither special, blank nor control; 8-bit ones too
        quoted,  ///< a quoted string, without quotes and escapes
        literal, ///< a domain literal's inside, without the brackets
        special, ///< one of . @ , : ; < >
        bad,     ///< no token: unclosed, a control character, nested too deep; ends the text
    };
    Kind kind = Kind::end;
    bool blank_before = false; ///< white space or a comment stood before it
    std::string text;

    [[nodiscard]] bool is(char special) const noexcept {
        return kind == Kind::special && text.front() == special;
    }
    [[nodiscard]] bool word() const noexcept { return kind == Kind::atom || kind == Kind::quoted; }
};

/// Reads one text. CRLF and LF before a blank are folds and count as white space; other line breaks
/// are bad.
class Tokens {
  public:
    explicit Tokens(std::string_view text) noexcept : rest_(text) {}
    [[nodiscard]] Token next();

  private:
    enum class Skipped { nothing, something, bad };
    [[nodiscard]] Skipped skip() noexcept;
    [[nodiscard]] bool skip_fold() noexcept;
    [[nodiscard]] bool skip_comment() noexcept;
    [[nodiscard]] Token between(Token::Kind kind, char close);
    [[nodiscard]] Token bad() noexcept;

    std::string_view rest_;
};

} // namespace demail
