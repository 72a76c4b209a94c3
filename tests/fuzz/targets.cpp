#include "fuzz.hpp"

#include <cstdio>
#include <cstdlib>

namespace demail::fuzz {

Target address, certificate, configuration, content, domain_list, domain_rules, ecdsa, header,
    key_uri, lmtp_data, lmtp_session, lmtp_words, mailboxes, recipient, reply, seal, srv_answer,
    wire_reply, wire_request, xml;

#define NAMED(target)                                                                              \
    { #target, target }
const std::map<std::string_view, Target *> &targets() {
    static const std::map<std::string_view, Target *> all{
        NAMED(address),     NAMED(certificate),  NAMED(configuration), NAMED(content),
        NAMED(domain_list), NAMED(domain_rules), NAMED(ecdsa),         NAMED(header),
        NAMED(key_uri),     NAMED(lmtp_data),    NAMED(lmtp_session),  NAMED(lmtp_words),
        NAMED(mailboxes),   NAMED(recipient),    NAMED(reply),         NAMED(seal),
        NAMED(srv_answer),  NAMED(wire_reply),   NAMED(wire_request),  NAMED(xml)};
    return all;
}
#undef NAMED

void broken(const char *property, const char *file, int line) noexcept {
    std::fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, property);
    std::abort();
}

} // namespace demail::fuzz
