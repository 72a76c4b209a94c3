// What libpcsclite's codes mean here.
#pragma once

#include "tcos/pcsc.hpp"

#include <winscard.h>

// The names of pcsclite.h's codes are macros with casts of C's kind.
#pragma GCC diagnostic ignored "-Wold-style-cast"

namespace demail::tcos {

/// pcscd itself is not there, or not the one that this context belongs to.
[[nodiscard]] bool service_is_gone(LONG code) noexcept;
/// Of SCardTransmit.
[[nodiscard]] Loss loss_of(LONG code) noexcept;
/// Of SCardConnect.
[[nodiscard]] NotConnected not_connected(LONG code) noexcept;

} // namespace demail::tcos
