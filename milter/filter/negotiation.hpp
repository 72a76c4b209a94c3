// What is agreed with the MTA at the start of a connection. Shared with the empty milter of the
// benches, so that both carry the same load.
#pragma once

#include <libmilter/mfapi.h>

#include <array>
#include <utility>

namespace demail::filter {

inline constexpr unsigned long wanted_actions = SMFIF_ADDHDRS | SMFIF_CHGHDRS;
/// For the RET parameter alone (RFC 3461 4.3).
inline constexpr unsigned long welcome_actions = SMFIF_CHGFROM;

/// No step that decides nothing; no reply to what is not refused yet (libmilter makes up for an MTA
/// that wants one); header values with their exact bytes.
inline constexpr unsigned long wanted_steps =
    SMFIP_NOCONNECT | SMFIP_NOHELO | SMFIP_NODATA | SMFIP_NOUNKNOWN | SMFIP_NR_MAIL | SMFIP_NR_HDR;
inline constexpr unsigned long welcome_steps = SMFIP_SKIP | SMFIP_HDR_LEADSPC;

/// False where the MTA cannot do what the filter lives on.
[[nodiscard]] inline bool negotiate(SMFICTX *context, unsigned long offered_actions,
                                    unsigned long offered_steps, unsigned long *actions,
                                    unsigned long *steps) {
    if ((offered_actions & wanted_actions) != wanted_actions) return false;
    *actions = wanted_actions | (offered_actions & welcome_actions);
    *steps = wanted_steps | (offered_steps & welcome_steps);
    if ((offered_actions & SMFIF_SETSYMLIST) != 0) {
        // All of a message's client at MAIL: each packet of macros replaces the one before it, and
        // one that is never empty leaves no earlier login standing. Postfix sends macros even for
        // steps that are not sent, and its long default lists where a list is empty.
        static constexpr std::array<std::pair<int, const char *>, 7> lists{
            {{SMFIM_CONNECT, "{daemon_port}"},
             {SMFIM_HELO, "{daemon_port}"},
             {SMFIM_ENVFROM, "{client_addr} {daemon_port} {auth_authen} i"},
             {SMFIM_ENVRCPT, "i"},
             {SMFIM_DATA, "i"},
             {SMFIM_EOH, "i"},
             {SMFIM_EOM, "i"}}};
        for (const auto &[place, names] : lists) {
            if (smfi_setsymlist(context, place, const_cast<char *>(names)) != MI_SUCCESS)
                return false;
        }
        *actions |= SMFIF_SETSYMLIST;
    }
    return true;
}

} // namespace demail::filter
