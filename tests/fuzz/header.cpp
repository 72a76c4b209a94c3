// Header fields keep their bytes; the firewall leaves nothing that only a provider or we may say.
#include "message/header.hpp"

#include "base/digest.hpp"
#include "filter/firewall.hpp"
#include "fuzz.hpp"
#include "message/ascii.hpp"
#include "message/seal.hpp"

#include <algorithm>
#include <set>
#include <string>

namespace demail::fuzz {
namespace {

void keeps_its_bytes(const HeaderFields &fields, std::string_view block) {
    std::string written;
    for (const HeaderField &field : fields)
        written += field.name + ':' + field.value + "\r\n";
    // The empty line, or the last line's end, may have been there or not.
    HOLDS(written == block || written + "\r\n" == block || written == std::string(block) + "\r\n");
}

void is_read_alike_when_refolded(const HeaderFields &fields) {
    HeaderFields relaxed_fields;
    for (const HeaderField &field : fields) {
        const std::string once = relaxed(field);
        HOLDS(once.ends_with("\r\n") && once.size() <= field.name.size() + field.value.size() + 3);
        const auto again = parse_header(once);
        HOLDS(again && again->size() == 1);
        HOLDS(relaxed(again->front()) == once);
        HOLDS(field.unfolded().find_first_of("\r\n") == std::string::npos);
        HOLDS(again->front().is(ascii::trim(field.name)));
        relaxed_fields.push_back(again->front());
    }
    HOLDS(sealed_fields_digest(relaxed_fields) == sealed_fields_digest(fields));
}

void reads_as_its_disguises(const std::string &name) {
    std::string capitals = name, joined;
    for (char &c : capitals)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 0x20);
    for (const char c : name)
        if (ascii::letter_or_digit(c)) joined += c;
    HOLDS(reads_as_demail(name) == reads_as_demail(capitals));
    HOLDS(reads_as_demail(name) ==
          (name.find("=?") != std::string::npos || reads_as_demail(joined)));
    HOLDS(reads_as_demail(name) == reads_as_demail("-_ " + name + "-x"));
    HOLDS(!sender_may_set(name) || reads_as_demail(name));
}

// Deletes as cleanup(8) does: the index counts the fields of that name from the top, each time
// anew.
void deletes(HeaderFields &fields, const filter::Removal &removal) {
    unsigned seen = 0;
    const auto at = std::find_if(fields.begin(), fields.end(), [&](const HeaderField &field) {
        return ascii::equal(field.name, removal.name) && ++seen == removal.index;
    });
    HOLDS(at != fields.end());
    fields.erase(at);
}

void firewall_leaves_nothing_forged(HeaderFields fields, bool of_demail) {
    filter::Firewall firewall;
    for (const HeaderField &field : fields)
        firewall.see(field.name, of_demail);
    if (firewall.over_limit()) return;
    const std::size_t before = fields.size();
    const auto removals = firewall.removals();
    for (const filter::Removal &removal : removals)
        deletes(fields, removal);
    HOLDS(fields.size() + removals.size() == before);
    HOLDS(firewall.size() <= removals.size());
    // Of what the sender may set the seal holds all but the private-id.
    std::set<std::string> stays;
    for (const HeaderField &field : fields) {
        if (!reads_as_demail(field.name)) continue;
        HOLDS(of_demail && sender_may_set(field.name));
        const std::string name = ascii::lower(field.name);
        HOLDS(name == "x-de-mail-private-id" || name == "x-de-mail-privat-id");
        HOLDS(stays.insert(name).second);
    }
}

} // namespace

void header(std::string_view block) {
    const auto fields = parse_header(block);
    if (!fields) return;
    keeps_its_bytes(*fields, block);
    is_read_alike_when_refolded(*fields);
    for (const HeaderField &field : *fields) {
        reads_as_its_disguises(field.name);
        HOLDS(count(*fields, ascii::trim(field.name)) >= 1);
        HOLDS(topmost(*fields, ascii::trim(field.name)) != nullptr);
    }
    firewall_leaves_nothing_forged(*fields, true);
    firewall_leaves_nothing_forged(*fields, false);
}

} // namespace demail::fuzz
