// The floor of the milter's bench: takes the same steps as demail-milter to the end of every
// message, and decides nothing.
//     empty-milter SOCKET
#include "filter/negotiation.hpp"

#include <cstdio>
#include <string>

namespace {
extern "C" {

sfsistat on_negotiate(SMFICTX *context, unsigned long offered_actions, unsigned long offered_steps,
                      unsigned long, unsigned long, unsigned long *actions, unsigned long *steps,
                      unsigned long *, unsigned long *) noexcept {
    return demail::filter::negotiate(context, offered_actions, offered_steps, actions, steps)
               ? SMFIS_CONTINUE
               : SMFIS_REJECT;
}
sfsistat on_mail(SMFICTX *, char **) noexcept {
    return SMFIS_NOREPLY;
}
sfsistat on_recipient(SMFICTX *, char **) noexcept {
    return SMFIS_CONTINUE;
}
sfsistat on_header(SMFICTX *, char *, char *) noexcept {
    return SMFIS_NOREPLY;
}
sfsistat on_end_of_header(SMFICTX *) noexcept {
    return SMFIS_CONTINUE;
}
sfsistat on_body(SMFICTX *, unsigned char *, size_t) noexcept {
    return SMFIS_CONTINUE;
}
sfsistat on_end_of_message(SMFICTX *) noexcept {
    return SMFIS_CONTINUE;
}

} // extern "C"
} // namespace

int main(int argc, char **argv) {
    if (argc != 2) {
        std::fputs("usage: empty-milter SOCKET\n", stderr);
        return 64;
    }
    std::string name = "empty-milter";
    std::string address = "unix:" + std::string(argv[1]);
    smfiDesc description{};
    description.xxfi_name = name.data();
    description.xxfi_version = SMFI_VERSION;
    description.xxfi_flags = demail::filter::wanted_actions | demail::filter::welcome_actions;
    description.xxfi_envfrom = on_mail;
    description.xxfi_envrcpt = on_recipient;
    description.xxfi_header = on_header;
    description.xxfi_eoh = on_end_of_header;
    description.xxfi_body = on_body;
    description.xxfi_eom = on_end_of_message;
    description.xxfi_negotiate = on_negotiate;
    if (smfi_setconn(address.data()) != MI_SUCCESS || smfi_register(description) != MI_SUCCESS ||
        smfi_opensocket(true) != MI_SUCCESS) {
        std::fprintf(stderr, "empty-milter: cannot listen at %s\n", argv[1]);
        return 69;
    }
    return smfi_main() == MI_SUCCESS ? 0 : 69;
}
