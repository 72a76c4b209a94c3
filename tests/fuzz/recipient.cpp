// What a RCPT means to the milter: nothing that a later stage could read as De-Mail is ordinary.
#include "filter/recipient.hpp"

#include "fuzz.hpp"
#include "message/ascii.hpp"

#include <string>

namespace demail::fuzz {
namespace {

const filter::DomainSnapshot &domains() {
    static const filter::DomainSnapshot snapshot = [] {
        DomainSet set;
        set.set("firm.example", DomainState::active);
        set.set("ended.example", DomainState::ended);
        set.set("hinted.example", DomainState::hinted);
        return filter::DomainSnapshot(set, set, true);
    }();
    return snapshot;
}

// A reader far more careless than any MTA: blanks, quotes, brackets and dots at the end are
// dropped; what then ends in the domain behind a character that ends a local part is De-Mail to it.
bool ends_in_demail(std::string_view text) {
    std::string seen;
    for (const char c : text)
        if (c != ' ' && c != '\t' && c != '"' && c != '>' && c != '\\') seen += ascii::lower(c);
    while (seen.ends_with('.'))
        seen.pop_back();
    // Without a domain Postfix appends its own, which is not De-Mail; but it reads "%" and "!" as
    // well.
    const bool has_domain = seen.find('@') != std::string::npos;
    for (const std::string_view end : {"@de-mail.de", "%de-mail.de", "@firm.example"})
        if (seen.size() > end.size() && seen.ends_with(end)) return true;
    if (seen.starts_with("de-mail.de!") && !has_domain) return true;
    if (has_domain && seen.ends_with(".de-mail.de")) return true;
    return false;
}

} // namespace

void recipient(std::string_view text) {
    using Kind = filter::RecipientKind;
    const auto reading = filter::read_recipient(text, domains());
    if (reading.kind == Kind::demail) {
        HOLDS(reading.address.has_value() && reading.address->domain_as_written());
        HOLDS(domains().find(reading.address->domain()) == filter::DomainStanding::demail);
    }
    if (reading.kind == Kind::ordinary) {
        HOLDS(!reading.address || reading.address->literal() ||
              domains().find(reading.address->domain()) == filter::DomainStanding::ordinary);
        HOLDS(!ends_in_demail(text));
    }
    if (reading.kind != Kind::ordinary && reading.kind != Kind::demail) {
        const Reply reply = filter::refusal(reading);
        HOLDS(reply.code >= 400 && reply.code < 600);
        HOLDS(reply.enhanced.front() == static_cast<char>('0' + reply.code / 100));
        HOLDS(!reply.text.empty());
    }
}

} // namespace demail::fuzz
