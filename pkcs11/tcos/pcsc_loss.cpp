#include "tcos/pcsc_loss.hpp"

namespace demail::tcos {

bool service_is_gone(LONG code) noexcept {
    switch (code) {
    case SCARD_E_NO_SERVICE:
    case SCARD_E_SERVICE_STOPPED:
    case SCARD_E_INVALID_HANDLE: // a new pcscd does not know the old one's contexts
    case SCARD_F_COMM_ERROR:
    case SCARD_F_INTERNAL_ERROR:
        return true;
    default:
        return false;
    }
}

Loss loss_of(LONG code) noexcept {
    if (service_is_gone(code)) return Loss::service_gone;
    switch (code) {
    case SCARD_W_REMOVED_CARD:
    case SCARD_E_NO_SMARTCARD:
        return Loss::card_removed;
    case SCARD_E_READER_UNAVAILABLE:
    case SCARD_E_UNKNOWN_READER:
        return Loss::reader_gone;
    case SCARD_E_TIMEOUT:
        return Loss::timed_out;
    case SCARD_E_INSUFFICIENT_BUFFER:
        return Loss::garbled;
    default: // SCARD_W_RESET_CARD, SCARD_W_UNPOWERED_CARD, SCARD_E_NOT_TRANSACTED
        return Loss::card_reset;
    }
}

NotConnected not_connected(LONG code) noexcept {
    if (service_is_gone(code)) return NotConnected::no_service;
    switch (code) {
    case SCARD_E_NO_SMARTCARD:
    case SCARD_W_REMOVED_CARD:
        return NotConnected::no_card;
    case SCARD_E_READER_UNAVAILABLE:
    case SCARD_E_UNKNOWN_READER:
    case SCARD_E_NO_READERS_AVAILABLE:
        return NotConnected::no_reader;
    case SCARD_E_SHARING_VIOLATION:
        return NotConnected::in_use;
    default: // SCARD_W_UNRESPONSIVE_CARD, SCARD_W_UNPOWERED_CARD, SCARD_E_PROTO_MISMATCH
        return NotConnected::mute;
    }
}

const char *text(NotConnected why) noexcept {
    switch (why) {
    case NotConnected::no_service:
        return "pcscd is not running";
    case NotConnected::no_reader:
        return "the reader is not there";
    case NotConnected::no_card:
        return "there is no card in the reader";
    case NotConnected::in_use:
        return "another program holds the card";
    case NotConnected::mute:
        return "the card does not answer";
    }
    return "the card does not answer";
}

} // namespace demail::tcos
