#include "message/tokens.hpp"

#include "message/ascii.hpp"

namespace demail {

namespace {

// Nobody nests comments; whoever does wants to see a stack overflow.
constexpr int deepest_comment = 100;

constexpr std::string_view specials = ".@,:;<>";

bool is_control(char c) noexcept {
    return static_cast<unsigned char>(c) < ' ' || c == 0x7f;
}

bool in_atom(char c) noexcept {
    return !is_control(c) && std::string_view(" ()<>[]:;@\\,.\"").find(c) == std::string_view::npos;
}

} // namespace

Token Tokens::bad() noexcept {
    rest_ = {};
    Token token;
    token.kind = Token::Kind::bad;
    return token;
}

bool Tokens::skip_fold() noexcept {
    const std::size_t length = rest_.starts_with("\r\n") ? 2 : rest_.starts_with('\n') ? 1 : 0;
    if (length == 0 || rest_.size() == length || !ascii::blank(rest_[length])) return false;
    rest_.remove_prefix(length);
    return true;
}

bool Tokens::skip_comment() noexcept {
    int depth = 0;
    while (!rest_.empty()) {
        const char c = rest_.front();
        if (ascii::line_break(c)) {
            if (!skip_fold()) return false;
            continue;
        }
        if (is_control(c) && c != '\t') return false;
        rest_.remove_prefix(1);
        if (c == '\\') {
            if (rest_.empty() || is_control(rest_.front())) return false;
            rest_.remove_prefix(1);
        } else if (c == '(') {
            if (++depth > deepest_comment) return false;
        } else if (c == ')' && --depth == 0) {
            return true;
        }
    }
    return false;
}

Tokens::Skipped Tokens::skip() noexcept {
    Skipped skipped = Skipped::nothing;
    while (!rest_.empty()) {
        const char c = rest_.front();
        if (ascii::blank(c))
            rest_.remove_prefix(1);
        else if (ascii::line_break(c)) {
            if (!skip_fold()) return Skipped::bad;
        } else if (c == '(') {
            if (!skip_comment()) return Skipped::bad;
        } else {
            break;
        }
        skipped = Skipped::something;
    }
    return skipped;
}

Token Tokens::between(Token::Kind kind, char close) {
    Token token;
    token.kind = kind;
    rest_.remove_prefix(1);
    while (!rest_.empty()) {
        char c = rest_.front();
        if (ascii::line_break(c)) {
            if (!skip_fold()) return bad();
            continue;
        }
        rest_.remove_prefix(1);
        if (c == close) return token;
        if (c == '\\' && !rest_.empty()) {
            c = rest_.front();
            rest_.remove_prefix(1);
        }
        if (is_control(c) && c != '\t') return bad();
        token.text += c;
    }
    return bad();
}

Token Tokens::next() {
    const Skipped skipped = skip();
    if (skipped == Skipped::bad) return bad();
    Token token;
    if (!rest_.empty()) {
        const char c = rest_.front();
        if (c == '"') {
            token = between(Token::Kind::quoted, '"');
        } else if (c == '[') {
            token = between(Token::Kind::literal, ']');
        } else if (specials.find(c) != std::string_view::npos) {
            token.kind = Token::Kind::special;
            token.text = c;
            rest_.remove_prefix(1);
        } else if (in_atom(c)) {
            std::size_t length = 1;
            while (length < rest_.size() && in_atom(rest_[length]))
                ++length;
            token.kind = Token::Kind::atom;
            token.text = rest_.substr(0, length);
            rest_.remove_prefix(length);
        } else {
            return bad();
        }
    }
    token.blank_before = skipped == Skipped::something;
    return token;
}

} // namespace demail
