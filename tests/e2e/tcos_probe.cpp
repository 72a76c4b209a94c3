// Drives a card by the engine alone, for tests/e2e/test_tcos_engine.py: commands on standard input,
// a line each, a line of JSON back with the APDUs that it took.
//
//     readers · wait MILLISECONDS            (what pcscd shows; what it shows next)
//     cancel MILLISECONDS                    (a wait of a minute, cancelled after that)
//     connect READER [MILLISECONDS]          (limit for each APDU)
//     identify · resume · release
//     certificates · records
//     status PIN · verify PIN VALUE · change PIN OLD NEW · unblock PIN OTHER · set PIN NEW
//     sign ID DIGEST-INFO · block ID BLOCK · decipher ID CRYPTOGRAM [MODULUS-BITS]   (hex digits)
//     repeat N COMMAND…                      (stops at the first that is not good)
#include "base/digest.hpp"
#include "tcos/card.hpp"
#include "tcos/pcsc.hpp"
#include "tcos/time_limit.hpp"

#include <iomanip>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <thread>

using namespace demail;
using namespace demail::tcos;
using nlohmann::json;

namespace {

json shown(const Done &) {
    return {{"done", true}};
}
json shown(const Refused &refused) {
    return {{"refused", text(refused.status)}};
}
json shown(const NotPossible &not_possible) {
    return {{"notPossible", not_possible.why}};
}
json shown(const Loss &loss) {
    return {{"lost", text(loss)}};
}
json shown(const TriesLeft &left) {
    return {{"tries", left.tries}};
}
json shown(const Verified &) {
    return {{"verified", true}};
}
json shown(const Blocked &) {
    return {{"blocked", true}};
}
json shown(const NullPin &) {
    return {{"null", true}};
}
json shown(const StatusUnknown &unknown) {
    return {{"unknown", text(unknown.status)}};
}
json shown(const WrongPin &wrong) {
    return {{"wrong", wrong.tries_left ? static_cast<int>(*wrong.tries_left) : -1}};
}
json shown(const Secret &result) {
    return {{"result", hex(result.view())}};
}
json shown(const SecurityStatusLost &) {
    return {{"statusLost", true}};
}
json shown(const UnknownCard &unknown) {
    return {{"unknownCard", unknown.why}, {"serial", unknown.serial}};
}
json shown(bool same) {
    return {{"same", same}};
}
json shown(const std::vector<CertificateOnCard> &certificates) {
    json list = json::array();
    for (const CertificateOnCard &one : certificates) {
        json entry = {{"id", one.key->id}, {"file", one.file}};
        if (const auto *certificate = std::get_if<Certificate>(&one.content)) {
            unsigned char *der = nullptr;
            const int size = i2d_X509(certificate->get(), &der);
            entry["der"] = hex({reinterpret_cast<char *>(der), static_cast<std::size_t>(size)});
            OPENSSL_free(der);
        } else {
            entry["why"] = text(std::get<NoCertificate>(one.content));
        }
        list.push_back(entry);
    }
    return {{"certificates", list}};
}
json shown(const std::vector<Records> &files) {
    json list = json::array();
    for (const Records &one : files)
        for (const Bytes &record : one.records)
            list.push_back({one.directory == nullptr ? 0x3f00 : one.directory->file, one.file,
                            hex(text_of(record))});
    return {{"records", list}};
}
json shown(const std::vector<ReaderState> &readers) {
    json list = json::array();
    for (const ReaderState &one : readers)
        list.push_back({{"name", one.name},
                        {"card", one.card},
                        {"inUse", one.in_use},
                        {"atr", hex(text_of(one.atr))}});
    return {{"readers", list}};
}

template <typename... Types>
json shown(const std::variant<Types...> &outcome) {
    return std::visit([](const auto &one) { return shown(one); }, outcome);
}

Bytes octets(const std::string &text) {
    const auto bytes = from_hex(text);
    if (!bytes) throw std::runtime_error("no hex digits");
    return {bytes->begin(), bytes->end()};
}

class Probe {
  public:
    json run(std::istringstream &words);

  private:
    Card &card() {
        if (!card_) throw std::runtime_error("no card");
        return *card_;
    }
    const Pin &pin(const std::string &word) {
        for (const Pin *one : card().pins())
            if (one->word == word) return *one;
        throw std::runtime_error("no such PIN");
    }
    const Key &key(const std::string &id) {
        for (const Key *one : card().keys())
            if (one->id == std::stoi(id, nullptr, 16)) return *one;
        throw std::runtime_error("no such key");
    }
    json connect(std::istringstream &words);
    json identify();
    json repeat(std::istringstream &words);

    Readers readers_;
    std::vector<ReaderState> known_;
    std::unique_ptr<Transport> transport_;
    Bytes atr_;
    std::optional<Card> card_;
};

json Probe::connect(std::istringstream &words) {
    // A reader's name has blanks, so it stands in quotes.
    std::string reader, limit;
    words >> std::quoted(reader) >> limit;
    auto connected = PcscCard::connect(reader);
    if (const auto *why = std::get_if<NotConnected>(&connected))
        return {{"notConnected", text(*why)}};
    auto &one = std::get<std::unique_ptr<PcscCard>>(connected);
    atr_ = one->atr();
    transport_ = std::move(one);
    if (!limit.empty())
        transport_ = std::make_unique<TimeLimit>(std::move(transport_),
                                                 std::chrono::milliseconds(std::stoi(limit)));
    return {{"atr", hex(text_of(atr_))}};
}

json Probe::identify() {
    auto found = Card::identify(std::move(transport_), atr_);
    if (const auto *loss = std::get_if<Loss>(&found)) return shown(*loss);
    if (const auto *unknown = std::get_if<UnknownCard>(&found)) return shown(*unknown);
    card_.emplace(std::move(std::get<Card>(found)));
    json answer = {{"serial", card_->serial()},
                   {"applications", json::array()},
                   {"pins", json::array()},
                   {"keys", json::array()},
                   {"apdus", card_->apdus()}};
    for (const Application *one : card_->applications())
        answer["applications"].push_back(one->name);
    for (const Pin *one : card_->pins())
        answer["pins"].push_back(one->word);
    for (const Key *one : card_->keys())
        answer["keys"].push_back(one->id);
    return answer;
}

json Probe::repeat(std::istringstream &words) {
    int times = 0;
    words >> times;
    std::string rest;
    std::getline(words, rest);
    const std::uint64_t before = card().apdus();
    json answer;
    for (int i = 0; i < times; ++i) {
        std::istringstream again(rest);
        answer = run(again);
        if (!answer.contains("result")) break;
    }
    answer["apdus"] = card().apdus() - before;
    return answer;
}

json Probe::run(std::istringstream &words) {
    std::string verb;
    words >> verb;
    if (verb == "readers" || verb == "wait") {
        int limit = 0;
        words >> limit;
        auto found = verb == "readers" ? readers_.now()
                                       : readers_.change(known_, std::chrono::milliseconds(limit));
        if (const auto *now = std::get_if<std::vector<ReaderState>>(&found)) known_ = *now;
        return shown(found);
    }
    if (verb == "cancel") {
        int after = 0;
        words >> after;
        (void)readers_.now();
        std::thread canceller([&] {
            std::this_thread::sleep_for(std::chrono::milliseconds(after));
            readers_.cancel();
        });
        auto found = readers_.change(known_, std::chrono::minutes(1));
        canceller.join();
        return shown(found);
    }
    if (verb == "connect") return connect(words);
    if (verb == "identify") return identify();
    if (verb == "repeat") return repeat(words);
    const std::uint64_t before = card().apdus();
    std::string first, second, third;
    words >> first >> second >> third;
    json answer;
    if (verb == "resume")
        answer = shown(card().resume(std::move(transport_)));
    else if (verb == "release")
        card().release();
    else if (verb == "certificates")
        answer = shown(card().certificates());
    else if (verb == "records")
        answer = shown(card().records());
    else if (verb == "status")
        answer = shown(card().pin_status(pin(first)));
    else if (verb == "verify")
        answer = shown(card().verify(pin(first), Secret::copy_of(second)));
    else if (verb == "change")
        answer = shown(card().change(pin(first), Secret::copy_of(second), Secret::copy_of(third)));
    else if (verb == "unblock")
        answer = shown(card().unblock(pin(first), Secret::copy_of(second)));
    else if (verb == "set")
        answer = shown(card().set_null_pin(pin(first), Secret::copy_of(second)));
    else if (verb == "sign" || verb == "block" || verb == "decipher")
        answer = shown(card().operate(key(first),
                                      verb == "sign"    ? KeyOperation::sign_pkcs1
                                      : verb == "block" ? KeyOperation::sign_block
                                                        : KeyOperation::decipher,
                                      octets(second), third.empty() ? 2048 : std::stoul(third)));
    else
        throw std::runtime_error("no such command");
    answer["apdus"] = card().apdus() - before;
    return answer;
}

} // namespace

int main() {
    Probe probe;
    std::string line;
    while (std::getline(std::cin, line)) {
        json answer;
        try {
            std::istringstream words(line);
            answer = probe.run(words);
        } catch (const std::exception &error) {
            answer = {{"error", error.what()}};
        }
        std::cout << answer << std::endl;
    }
}
