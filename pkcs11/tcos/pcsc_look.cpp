#include "tcos/pcsc_look.hpp"

namespace demail::tcos {

// A direct connection needs no card, and powering one up on it makes pcscd ask the reader.
bool look_again(SCARDCONTEXT context, const std::string &reader) {
    SCARDHANDLE handle = 0;
    DWORD active = 0;
    if (SCardConnect(context, reader.c_str(), SCARD_SHARE_DIRECT, 0, &handle, &active) !=
        SCARD_S_SUCCESS)
        return false;
    const LONG code =
        SCardReconnect(handle, SCARD_SHARE_DIRECT, SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1,
                       SCARD_UNPOWER_CARD, &active);
    SCardDisconnect(handle, SCARD_LEAVE_CARD);
    return code == SCARD_S_SUCCESS;
}

} // namespace demail::tcos
