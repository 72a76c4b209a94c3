#include "tcos/transport.hpp"

namespace demail::tcos {

const char *text(Loss loss) noexcept {
    switch (loss) {
    case Loss::card_removed:
        return "the card was removed";
    case Loss::card_reset:
        return "the card was reset";
    case Loss::reader_gone:
        return "the reader is gone";
    case Loss::service_gone:
        return "pcscd is gone";
    case Loss::timed_out:
        return "the card did not answer in time";
    case Loss::garbled:
        return "the card's answer makes no sense";
    }
    return "the card was lost";
}

} // namespace demail::tcos
