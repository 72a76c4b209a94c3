// The grammar of addresses and address lists: RFC 5322 3.4 and 4.4, RFC 5321 4.1.2.
#include "message/address.hpp"
#include "message/tokens.hpp"

namespace demail {

/// Reads from the tokens of one text, with one token of look-ahead.
class AddressParser {
  public:
    explicit AddressParser(std::string_view text) : tokens_(text), token_(tokens_.next()) {}

    /// A path: an address with or without angle brackets, and nothing else.
    std::optional<Address> path() {
        if (token_.is('<')) {
            auto address = angle();
            return at_end() ? address : std::nullopt;
        }
        if (token_.is('@') && !skip_route()) return std::nullopt;
        Words words = read_words();
        auto address = after_local(words);
        return at_end() ? address : std::nullopt;
    }

    std::optional<std::vector<Mailbox>> list(std::size_t limit) {
        std::vector<Mailbox> mailboxes;
        bool in_group = false;
        while (true) {
            Words words = read_words();
            if (token_.is(':')) {
                // A group: display-name ":" [group-list] ";"
                if (in_group || words.empty()) return std::nullopt;
                in_group = true;
                advance();
                continue;
            }
            if (token_.is('<') || token_.is('@')) {
                const bool named = token_.is('<');
                auto address = named ? angle() : after_local(words);
                if (!address || mailboxes.size() == limit) return std::nullopt;
                mailboxes.push_back(
                    {named ? std::move(words.phrase) : std::string(), std::move(*address)});
            } else if (!words.empty()) {
                return std::nullopt;
            }
            if (in_group && token_.is(';')) {
                in_group = false;
                advance();
                if (!token_.is(',') && !at_end()) return std::nullopt;
            }
            if (token_.is(',')) {
                advance();
                continue;
            }
            if (at_end() && !in_group) return mailboxes;
            return std::nullopt;
        }
    }

  private:
    // Words and dots, before it is known whether they are a display name or a local part.
    struct Words {
        std::string phrase;
        std::string local;
        bool is_local = true; // a dot stands between any two words
        bool any = false;
        bool last_is_word = false;
        [[nodiscard]] bool empty() const noexcept { return phrase.empty() && !any; }
    };

    void advance() { token_ = tokens_.next(); }
    [[nodiscard]] bool at_end() const noexcept { return token_.kind == Token::Kind::end; }

    Words read_words() {
        Words words;
        for (; token_.word() || token_.is('.'); advance()) {
            if (token_.blank_before && !words.phrase.empty()) words.phrase += ' ';
            words.phrase += token_.text;
            words.local += token_.text;
            if (token_.word()) {
                if (words.last_is_word) words.is_local = false;
                words.any = true;
            }
            words.last_is_word = token_.word();
        }
        return words;
    }

    // "@" domain, after the local part has been read.
    std::optional<Address> after_local(Words &words) {
        if (!token_.is('@') || !words.any || !words.is_local) return std::nullopt;
        advance();
        if (token_.kind == Token::Kind::literal) {
            const std::string literal = std::move(token_.text);
            advance();
            return Address::make(std::move(words.local), literal, true);
        }
        std::string domain;
        bool last_is_word = false;
        for (; token_.kind == Token::Kind::atom || token_.is('.'); advance()) {
            const bool word = token_.kind == Token::Kind::atom;
            if (word && last_is_word) return std::nullopt;
            last_is_word = word;
            domain += token_.text;
        }
        return Address::make(std::move(words.local), domain, false);
    }

    std::optional<Address> angle() {
        advance();
        if ((token_.is('@') || token_.is(',')) && !skip_route()) return std::nullopt;
        Words words = read_words();
        auto address = after_local(words);
        if (!token_.is('>')) return std::nullopt;
        advance();
        return address;
    }

    // A source route, RFC 5321 appendix C: "@a,@b:". To be ignored.
    bool skip_route() {
        bool domain_may_follow = false;
        for (;; advance()) {
            const bool domain = token_.kind == Token::Kind::atom ||
                                token_.kind == Token::Kind::literal || token_.is('.');
            if (token_.is(':')) break;
            if (domain ? !domain_may_follow : !token_.is('@') && !token_.is(',')) return false;
            domain_may_follow = domain || token_.is('@');
        }
        advance();
        return true;
    }

    Tokens tokens_;
    Token token_;
};

std::optional<Address> Address::parse(std::string_view text) {
    // Folds belong to header fields; no path holds a line break.
    if (text.find_first_of("\r\n") != std::string_view::npos) return std::nullopt;
    return AddressParser(text).path();
}

std::optional<std::vector<Mailbox>> parse_mailboxes(std::string_view value, std::size_t limit) {
    while (!value.empty() && (value.back() == '\n' || value.back() == '\r'))
        value.remove_suffix(1);
    return AddressParser(value).list(limit);
}

} // namespace demail
