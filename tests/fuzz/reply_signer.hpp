// The provider's signer as the fuzz targets know it: one key for ever, so that signed replies can
// stand in the corpus. It signs nothing anywhere else.
#pragma once

#include "software_key.hpp"

namespace demail::fuzz {

const test::SoftwareKey &reply_signer();

} // namespace demail::fuzz
