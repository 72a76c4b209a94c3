// Reading a card's files.
#include "tcos/card.hpp"
#include "tcos/instructions.hpp"

#include <algorithm>
#include <array>

namespace demail::tcos {
namespace {

constexpr std::size_t short_read = 256;
constexpr std::size_t highest_offset = 0x7fff; // the first bit of P1 means a short file id
constexpr std::uint8_t most_records = 32;
constexpr std::uint8_t record_by_number = 0x04;
constexpr std::uint16_t key_records = 0x5349; // EF_KEYD
constexpr std::uint16_t pin_records = 0x5049; // EF_PWDD
constexpr std::uint16_t wrong_length = 0x6700;
constexpr std::uint16_t end_of_file = 0x6282; // a warning: the data up to there came along
constexpr std::uint16_t file_not_found = 0x6a82;

std::array<unsigned char, 2> name_of(std::uint16_t file) noexcept {
    return {static_cast<unsigned char>(file >> 8U), static_cast<unsigned char>(file & 0xffU)};
}

} // namespace

// Of the selected file; empty behind its end.
std::variant<Bytes, Refused, Loss> Card::read_part(std::size_t offset, std::size_t size) {
    const Exchange::Outcome outcome = exchange_.run({0x00,
                                                     ins::read_binary,
                                                     static_cast<std::uint8_t>(offset >> 8U),
                                                     static_cast<std::uint8_t>(offset & 0xffU),
                                                     {},
                                                     size});
    if (const auto *loss = std::get_if<Loss>(&outcome)) {
        forget();
        return *loss;
    }
    const auto &response = std::get<Response>(outcome);
    if (!response.status.good() && response.status.value != end_of_file)
        return Refused{response.status};
    return Bytes(response.data.begin(), response.data.end());
}

// As much of the selected file as its certificate needs. A read that brings nothing new ends it.
std::variant<Bytes, NoCertificate, Loss> Card::read_certificate_file() {
    auto first = read_part(0, short_read);
    if (const auto *loss = std::get_if<Loss>(&first)) return *loss;
    if (std::holds_alternative<Refused>(first)) return NoCertificate::unreadable;
    Bytes file = std::move(std::get<Bytes>(first));
    const auto size = content_size(file);
    if (const auto *why = std::get_if<NoCertificate>(&size)) return *why;
    const std::size_t wanted = std::get<std::size_t>(size);
    // TCOS 3 knows extended lengths; a reader that does not makes the card answer 6700.
    std::size_t at_once = generation() == Generation::tcos3 ? longest_expected : short_read;
    while (file.size() < wanted && file.size() <= highest_offset) {
        const auto part = read_part(file.size(), std::min(at_once, wanted - file.size()));
        if (const auto *loss = std::get_if<Loss>(&part)) return *loss;
        if (const auto *refused = std::get_if<Refused>(&part)) {
            if (refused->status.value != wrong_length || at_once == short_read)
                return NoCertificate::unreadable;
            at_once = short_read;
            continue;
        }
        const auto &bytes = std::get<Bytes>(part);
        if (bytes.empty()) return NoCertificate::unreadable;
        file.insert(file.end(), bytes.begin(), bytes.end());
    }
    return file;
}

std::variant<std::vector<CertificateOnCard>, Loss> Card::certificates() {
    std::vector<CertificateOnCard> all;
    for (const Key *key : keys()) {
        for (const std::uint16_t file : key->certificates) {
            if (file == 0) continue;
            Step step = enter(*key->directory);
            if (std::holds_alternative<Done>(step))
                step = select(select_p1::path_from_current, name_of(file));
            if (const auto *loss = std::get_if<Loss>(&step)) return *loss;
            if (const auto *refused = std::get_if<Refused>(&step)) {
                if (refused->status.value != file_not_found)
                    all.push_back({key, file, NoCertificate::unreadable});
                continue;
            }
            auto read = read_certificate_file();
            if (const auto *loss = std::get_if<Loss>(&read)) return *loss;
            if (const auto *why = std::get_if<NoCertificate>(&read))
                all.push_back({key, file, *why});
            else
                all.push_back({key, file, certificate_in(std::get<Bytes>(read))});
        }
    }
    return all;
}

// None where the file is not there.
std::variant<std::vector<Bytes>, Loss> Card::read_records(const Directory *directory,
                                                          std::uint16_t file) {
    std::vector<Bytes> records;
    Step step = Done{};
    if (directory != nullptr)
        step = enter(*directory);
    else
        forget(); // the MF becomes the current directory
    if (std::holds_alternative<Done>(step))
        step = select(directory == nullptr ? select_p1::path_from_mf : select_p1::path_from_current,
                      name_of(file));
    if (const auto *loss = std::get_if<Loss>(&step)) return *loss;
    if (std::holds_alternative<Refused>(step)) return records;
    for (std::uint8_t number = 1; number <= most_records; ++number) {
        const Exchange::Outcome outcome =
            exchange_.run({0x00, ins::read_record, number, record_by_number, {}, short_read});
        if (const auto *loss = std::get_if<Loss>(&outcome)) {
            forget();
            return *loss;
        }
        const auto &response = std::get<Response>(outcome);
        if (!response.status.good() && response.status.value != end_of_file) break;
        records.emplace_back(response.data.begin(), response.data.end());
    }
    return records;
}

std::variant<std::vector<Records>, Loss> Card::records() {
    std::vector<const Directory *> directories{nullptr};
    for (const Key *key : keys())
        if (generation() == Generation::tcos3 &&
            std::find(directories.begin(), directories.end(), key->directory) == directories.end())
            directories.push_back(key->directory);
    std::vector<Records> all;
    for (const Directory *directory : directories) {
        for (const std::uint16_t file : {key_records, pin_records}) {
            auto read = read_records(directory, file);
            if (const auto *loss = std::get_if<Loss>(&read)) return *loss;
            auto &records = std::get<std::vector<Bytes>>(read);
            if (!records.empty()) all.push_back({directory, file, std::move(records)});
        }
    }
    return all;
}

} // namespace demail::tcos
