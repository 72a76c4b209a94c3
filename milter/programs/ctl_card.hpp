// demailctl's commands for the card: what demail-cardd is asked, and what a person is told of it
// before and after. They need no demail.toml.
#pragma once

#include <optional>
#include <string>

namespace demail::ctl {

struct CardWords {
    std::string socket; ///< empty: the default one
    std::string card;   ///< the serial number or its end; empty: the only card
    std::string pin;    ///< which PIN; empty: the keys' one
    std::string reader; ///< for probe
    std::string state = "/var/lib/demail-cardd"; ///< for the audit log
    std::optional<int> pin_fd;
    bool last_try = false;
    bool json = false;
};

/// Each returns the program's exit code: 0; 1 where the card or its daemon said no; 69 where nobody
/// could be asked.
[[nodiscard]] int unlock_card(const CardWords &words);
[[nodiscard]] int lock_card(const CardWords &words);
[[nodiscard]] int show_pins(const CardWords &words);
[[nodiscard]] int set_pin(const CardWords &words);
[[nodiscard]] int change_pin(const CardWords &words);
[[nodiscard]] int unblock_pin(const CardWords &words);
[[nodiscard]] int show_cards(const CardWords &words);
[[nodiscard]] int probe_card(const CardWords &words);
/// The chain of the audit log, read from its files.
[[nodiscard]] int check_audit_log(const CardWords &words);

} // namespace demail::ctl
