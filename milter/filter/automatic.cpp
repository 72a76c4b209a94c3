#include "filter/automatic.hpp"

#include "message/ascii.hpp"
#include "message/tokens.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace demail::filter {
namespace {

constexpr std::string_view auto_submitted = "Auto-Submitted", precedence = "Precedence";

/// RFC 2919 3, RFC 2369 3. "List-Post: NO" is a list's field, too.
constexpr std::array<std::string_view, 7> list_fields{
    "List-Id",   "List-Help",  "List-Unsubscribe", "List-Subscribe",
    "List-Post", "List-Owner", "List-Archive"};

bool of_list(std::string_view name) noexcept {
    return std::any_of(list_fields.begin(), list_fields.end(),
                       [&](std::string_view one) { return ascii::equal(name, one); });
}

/// RFC 3834 5: a keyword, then parameters. Whatever is not "no" is automatic, what cannot be read
/// as well: a person's mail program has no reason to write the field.
bool says_no(std::string_view value) {
    Tokens tokens(value);
    const Token keyword = tokens.next();
    if (keyword.kind != Token::Kind::atom || !ascii::equal(keyword.text, "no")) return false;
    const Token after = tokens.next();
    return after.kind == Token::Kind::end || after.is(';');
}

/// No standard has it, RFC 3834 2 and every responder know it.
bool of_many(std::string_view value) {
    const Token word = Tokens(value).next();
    return word.kind == Token::Kind::atom &&
           (ascii::equal(word.text, "bulk") || ascii::equal(word.text, "junk") ||
            ascii::equal(word.text, "list"));
}

/// What the field says of the message; "" for nothing.
std::string_view told_by(const HeaderField &field) {
    const std::string_view name = ascii::trim(field.name);
    if (ascii::equal(name, auto_submitted))
        return says_no(field.value) ? "" : "was sent by a program";
    if (ascii::equal(name, precedence)) return of_many(field.value) ? "is one of many" : "";
    return of_list(name) ? "comes from a mailing list" : "";
}

} // namespace

bool can_tell_automatic(std::string_view field_name) noexcept {
    const std::string_view name = ascii::trim(field_name);
    return ascii::equal(name, auto_submitted) || ascii::equal(name, precedence) || of_list(name);
}

std::optional<Objection> objection_to_automatic(const HeaderFields &fields,
                                                const SenderRule &rule) {
    if (rule.automatic) return std::nullopt;
    for (const HeaderField &field : fields) {
        const std::string_view told = told_by(field);
        if (told.empty()) continue;
        return Objection{fmt::format("The field {} says that this message {}, and this sender may "
                                     "send De-Mails by hand only; ask the administrator for a rule "
                                     "with automatic = true.",
                                     ascii::trim(field.name), told)};
    }
    return std::nullopt;
}

} // namespace demail::filter
