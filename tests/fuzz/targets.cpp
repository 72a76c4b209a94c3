#include "fuzz.hpp"

#include <cstdio>
#include <cstdlib>

// clang-format off
#define ALL(one) \
    one(address) \
    one(apdu_answer) \
    one(ber) \
    one(blocks) \
    one(card_certificate) \
    one(card_state) \
    one(cardd_configuration) \
    one(certificate) \
    one(configuration) \
    one(content) \
    one(directory_entry) \
    one(domain_lines) \
    one(domain_list) \
    one(domain_rules) \
    one(ecdsa) \
    one(evidence_line) \
    one(ended_providers) \
    one(header) \
    one(key_uri) \
    one(lmtp_data) \
    one(lmtp_session) \
    one(lmtp_words) \
    one(mailboxes) \
    one(multipart) \
    one(recipient) \
    one(reply) \
    one(seal) \
    one(srv_answer) \
    one(senders) \
    one(subject) \
    one(wire_reply) \
    one(wire_request) \
    one(xml)

// clang-format on

namespace demail::fuzz {

#define DECLARED(target) Target target;
ALL(DECLARED)
#undef DECLARED

const std::map<std::string_view, Target *> &targets() {
#define NAMED(target) {#target, target},
    static const std::map<std::string_view, Target *> all{ALL(NAMED)};
#undef NAMED
    return all;
}

void broken(const char *property, const char *file, int line) noexcept {
    std::fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, property);
    std::abort();
}

} // namespace demail::fuzz
