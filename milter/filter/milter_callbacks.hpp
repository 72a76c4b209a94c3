// libmilter's callbacks: thin shims over Session. None lets an exception out; a failure of ours is
// SMFIS_TEMPFAIL. libmilter calls the callbacks of one connection from changing threads.
#pragma once

#include "filter/session.hpp"

#include <libmilter/mfapi.h>

namespace demail::filter {

/// The callbacks for smfi_register. libmilter hands them no pointer of ours before a connection has
/// one, so `around`, which has to outlive smfi_main(), is remembered here; call once.
/// Throws std::runtime_error where guard_macros() does.
[[nodiscard]] smfiDesc callbacks(const Surroundings &around);

} // namespace demail::filter
