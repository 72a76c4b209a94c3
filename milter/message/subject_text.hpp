// A Subject as its reader sees it, and as it stands: encoded words (RFC 2047) are read, and what is
// taken out leaves the other octets as they were. Pure, thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace demail {

class SubjectText {
  public:
    /// Longer ones are not to be given: Postfix takes more, no reader shows it.
    static constexpr std::size_t longest = 32768;

    /// `value`: all behind the colon, folds included. Is copied.
    explicit SubjectText(std::string_view value);

    /// The characters; line breaks of folds are among them, white space between encoded words is
    /// not. UTF-8, and the one-octet charsets that have ASCII and the German letters where
    /// ISO 8859-1 has them, are read as far: other letters of those charsets, and octets that are
    /// none, may stand for U+FFFD or a wrong one. A word of another charset is one U+FFFD.
    [[nodiscard]] const std::u32string &characters() const noexcept { return characters_; }

    /// Characters [begin, end).
    struct Range {
        std::size_t begin, end;
    };
    /// The value without these characters. A word in B is encoded anew where it loses a part, one
    /// in Q keeps the octets of the rest; a word that loses all goes.
    [[nodiscard]] std::string without(const std::vector<Range> &taken_out) const;

  private:
    struct Piece {
        enum class Kind {
            raw,
            word,
            gap, ///< white space between two words, which nobody sees
        };
        Kind kind = Kind::raw;
        std::string source;                 ///< as it stands
        std::string head;                   ///< of a word: "=?utf-8?Q?"
        bool base64 = false;                ///< of a word
        std::string octets;                 ///< of a word: decoded
        std::vector<std::string> octets_as; ///< of one in Q: each octet as it stands
    };
    struct Octet {
        std::size_t piece, index;
    };
    enum class Charset { utf8, latin, other };

    void split(std::string_view value);
    void read();
    void read_run(std::size_t first, std::size_t end, Charset charset);
    [[nodiscard]] static bool read_word(std::string_view text, Piece &word, std::size_t &length);
    [[nodiscard]] static Charset charset_of(const Piece &piece);
    void add(char32_t character, std::size_t octets);

    std::vector<Piece> pieces_;
    std::vector<Octet> octets_; ///< of all pieces but gaps
    std::u32string characters_;
    std::vector<std::size_t> ends_; ///< of each character: where its octets end
};

} // namespace demail
