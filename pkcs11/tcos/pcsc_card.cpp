#include "tcos/pcsc.hpp"
#include "tcos/pcsc_look.hpp"
#include "tcos/pcsc_loss.hpp"

#include <array>

namespace demail::tcos {

struct PcscCard::Connection {
    SCARDCONTEXT context = 0;
    SCARDHANDLE card = 0;
    DWORD protocol = 0;
    bool has_context = false;
    bool has_card = false;

    Connection() = default;
    Connection(const Connection &) = delete;
    Connection &operator=(const Connection &) = delete;
    ~Connection() {
        if (has_card) SCardDisconnect(card, SCARD_UNPOWER_CARD);
        if (has_context) SCardReleaseContext(context);
    }

    LONG connect(const std::string &reader);
};

LONG PcscCard::Connection::connect(const std::string &reader) {
    const LONG code = SCardConnect(context, reader.c_str(), SCARD_SHARE_EXCLUSIVE,
                                   SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1, &card, &protocol);
    has_card = code == SCARD_S_SUCCESS;
    return code;
}

PcscCard::PcscCard(std::unique_ptr<Connection> connection, Bytes atr)
    : connection_(std::move(connection)), atr_(std::move(atr)) {}

PcscCard::~PcscCard() = default;

std::variant<std::unique_ptr<PcscCard>, NotConnected> PcscCard::connect(const std::string &reader) {
    auto connection = std::make_unique<Connection>();
    LONG code = SCardEstablishContext(SCARD_SCOPE_SYSTEM, nullptr, nullptr, &connection->context);
    if (code != SCARD_S_SUCCESS) return NotConnected::no_service;
    connection->has_context = true;
    code = connection->connect(reader);
    if (code == SCARD_E_NO_SMARTCARD && look_again(connection->context, reader))
        code = connection->connect(reader);
    if (code != SCARD_S_SUCCESS) return not_connected(code);
    std::array<unsigned char, MAX_ATR_SIZE> atr{};
    DWORD size = atr.size();
    code = SCardStatus(connection->card, nullptr, nullptr, nullptr, nullptr, atr.data(), &size);
    if (code != SCARD_S_SUCCESS) return not_connected(code);
    return std::unique_ptr<PcscCard>(
        new PcscCard(std::move(connection), Bytes(atr.data(), atr.data() + size)));
}

Transmitted PcscCard::transmit(View command, std::span<unsigned char> answer) {
    const SCARD_IO_REQUEST *const header =
        connection_->protocol == SCARD_PROTOCOL_T0 ? SCARD_PCI_T0 : SCARD_PCI_T1;
    DWORD size = answer.size();
    const LONG code = SCardTransmit(connection_->card, header, command.data(), command.size(),
                                    nullptr, answer.data(), &size);
    if (code != SCARD_S_SUCCESS) return loss_of(code);
    if (size > answer.size()) return Loss::garbled;
    return size;
}

} // namespace demail::tcos
