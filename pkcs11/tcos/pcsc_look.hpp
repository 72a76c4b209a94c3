// pcscd can lose sight of a card: where a card is away just when some program's SCardDisconnect (or
// SCardReconnect) resets it or takes its power, and back before pcscd's own look every 0.4 s, it
// stays absent for pcscd until somebody pulls it out (winscard.c and eventhandler.c, 1.9.9). A USB
// server's hiccup is enough.
#pragma once

#include "tcos/pcsc_loss.hpp"

#include <string>

namespace demail::tcos {

/// Lets pcscd look for a card in that reader now; true: there is one. It loses its state.
[[nodiscard]] bool look_again(SCARDCONTEXT context, const std::string &reader);

} // namespace demail::tcos
