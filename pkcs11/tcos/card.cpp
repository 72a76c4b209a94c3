#include "tcos/card.hpp"

#include "base/digest.hpp"
#include "tcos/ber.hpp"
#include "tcos/instructions.hpp"

#include <algorithm>
#include <array>

namespace demail::tcos {
namespace {

constexpr unsigned char gdo_path[] = {0x2f, 0x02};
constexpr std::uint16_t iccsn_tag = 0x5a; // ISO 7812, ISO 7816-6
constexpr std::size_t iccsn_size = 10;

std::string digits(View packed) {
    std::string out = hex(text_of(packed));
    std::transform(out.begin(), out.end(), out.begin(), [](char c) { return c == 'f' ? 'F' : c; });
    return out;
}

// Digits, and filling at the end of an odd number of them.
bool is_iccsn(const std::string &text) noexcept {
    return std::all_of(text.begin(), text.end() - 1, [](char c) { return c >= '0' && c <= '9'; }) &&
           ((text.back() >= '0' && text.back() <= '9') || text.back() == 'F');
}

} // namespace

Card::Card(Bytes atr, Trace trace)
    : exchange_(std::move(trace)), atr_(std::move(atr)), known_atr_(find_atr(atr_)) {}

void Card::forget() noexcept {
    selected_ = nullptr;
    chosen_ = nullptr;
}

void Card::release() noexcept {
    forget();
    exchange_.end();
}

Generation Card::generation() const noexcept {
    return known_atr_ == nullptr ? Generation::tcos3 : known_atr_->generation;
}

std::vector<const Pin *> Card::pins() const {
    std::vector<const Pin *> all;
    for (const Application *application : applications_)
        for (const Pin *pin : application->pins)
            if (std::find(all.begin(), all.end(), pin) == all.end()) all.push_back(pin);
    return all;
}

std::vector<const Key *> Card::keys() const {
    std::vector<const Key *> all;
    for (const Application *application : applications_)
        for (const Key &key : application->keys)
            all.push_back(&key);
    return all;
}

Card::Step Card::send(const Command &command) {
    const Exchange::Outcome outcome = exchange_.run(command);
    if (const auto *loss = std::get_if<Loss>(&outcome)) {
        forget();
        return *loss;
    }
    const StatusWord status = std::get<Response>(outcome).status;
    if (!status.good()) return Refused{status};
    return Done{};
}

Card::Step Card::select(std::uint8_t how, View name) {
    return send({0x00, ins::select, how, select_p2::no_data, name, 0});
}

Card::Step Card::enter(const Directory &directory) {
    if (selected_ == &directory) return Done{};
    forget();
    const std::array<unsigned char, 2> path{static_cast<unsigned char>(directory.file >> 8U),
                                            static_cast<unsigned char>(directory.file & 0xffU)};
    const Step step = directory.file != 0 ? select(select_p1::path_from_mf, path)
                                          : select(select_p1::by_aid, directory.aid);
    if (std::holds_alternative<Done>(step)) selected_ = &directory;
    return step;
}

std::variant<std::string, UnknownCard, Loss> Card::read_serial() {
    forget();
    Step step = select(select_p1::path_from_mf, gdo_path);
    if (const auto *loss = std::get_if<Loss>(&step)) return *loss;
    if (std::holds_alternative<Refused>(step)) return UnknownCard{atr_, "", "it has no EF.GDO"};
    const auto part = read_part(0, 256);
    if (const auto *loss = std::get_if<Loss>(&part)) return *loss;
    const auto *const bytes = std::get_if<Bytes>(&part);
    const auto iccsn = bytes == nullptr ? std::optional<View>() : find(*bytes, {iccsn_tag});
    if (!iccsn || iccsn->size() != iccsn_size)
        return UnknownCard{atr_, "", "its EF.GDO holds no serial number"};
    std::string text = digits(*iccsn);
    if (!is_iccsn(text)) return UnknownCard{atr_, "", "the serial number in its EF.GDO is none"};
    return text;
}

std::optional<Loss> Card::find_applications(Generation wanted) {
    for (const Application &application : known_applications()) {
        if (application.generation != wanted) continue;
        const Step step = select(select_p1::by_aid, application.aid);
        if (const auto *loss = std::get_if<Loss>(&step)) return *loss;
        if (std::holds_alternative<Done>(step)) applications_.push_back(&application);
    }
    return std::nullopt;
}

std::variant<Card, UnknownCard, Loss> Card::identify(std::unique_ptr<Transport> transport,
                                                     Bytes atr, Trace trace) {
    Card card(std::move(atr), std::move(trace));
    card.exchange_.begin(std::move(transport));
    auto serial = card.read_serial();
    if (const auto *loss = std::get_if<Loss>(&serial)) return *loss;
    if (auto *unknown = std::get_if<UnknownCard>(&serial)) {
        if (card.known_atr_ == nullptr) unknown->why = "its ATR is not known, and " + unknown->why;
        return std::move(*unknown);
    }
    card.serial_ = std::get<std::string>(serial);
    if (card.known_atr_ != nullptr && !card.known_atr_->unsupported.empty())
        return UnknownCard{card.atr_, card.serial_, std::string(card.known_atr_->unsupported)};
    if (const auto loss = card.find_applications(card.generation())) return *loss;
    if (card.applications_.empty())
        return UnknownCard{card.atr_, card.serial_,
                           card.known_atr_ == nullptr
                               ? "its ATR is not known, and it has no known application"
                               : "it has no known application"};
    return card;
}

std::variant<bool, Loss> Card::resume(std::unique_ptr<Transport> transport) {
    exchange_.begin(std::move(transport));
    const auto serial = read_serial();
    if (const auto *loss = std::get_if<Loss>(&serial)) return *loss;
    const auto *const found = std::get_if<std::string>(&serial);
    if (found != nullptr && *found == serial_) return true;
    release();
    return false;
}

} // namespace demail::tcos
