// All that the module knows between C_Initialize and C_Finalize.
#pragma once

#include "module/crypto.hpp"
#include "module/daemon.hpp"
#include "module/session.hpp"
#include "module/tokens.hpp"

namespace demail::module {

class State {
  public:
    Daemon daemon;
    Crypto crypto;
    Tokens tokens{daemon, crypto};
    Sessions sessions;
    int calls = 0; ///< that run now; process.cpp counts under its mutex

    void stop() { daemon.stop(); }
};

} // namespace demail::module
