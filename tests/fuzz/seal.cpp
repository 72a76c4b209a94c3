// The seal: only what a key holder wrote is read, and it is written in one way. Each input is tried
// as it stands, and again with its `h` made good, so that what lies behind the MAC is reached. The
// bytes under the MAC are put together here a second time, from contracts.md.
#include "message/seal.hpp"

#include "base/digest.hpp"
#include "fuzz.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace demail::fuzz {
namespace {

const SealKeys &keys() {
    static const SealKeys both = std::get<SealKeys>(
        SealKeys::parse("one " + std::string(64, '1') + "\ntwo " + std::string(64, '2')));
    return both;
}

std::string without_blanks(std::string_view text) {
    std::string out;
    for (const char c : text)
        if (c != ' ' && c != '\t' && c != '\r' && c != '\n') out += c;
    return out;
}

using Tags = std::map<char, std::string>;

// Loosely: tags in any order and number, the last of a letter counts.
Tags tags_of(const std::string &text) {
    Tags tags;
    Input rest(text);
    while (!rest.rest().empty()) {
        const std::string_view tag = rest.until(';');
        if (tag.size() >= 2 && tag[1] == '=') tags[tag[0]] = tag.substr(2);
    }
    return tags;
}

std::string mac(Tags tags, const SealKey &key) {
    std::string bytes;
    for (const char letter : {'v', 'k', 't', 'n', 'a', 's', 'e', 'o', 'r', 'd', 'b'}) {
        const std::string &value = tags[letter];
        bytes += letter;
        for (const unsigned shift : {24U, 16U, 8U, 0U})
            bytes += static_cast<char>(value.size() >> shift & 0xffU);
        bytes += value;
    }
    return base64url(view(key.mac(bytes)));
}

void is_whole(const CheckedSeal &checked) {
    const Seal &seal = checked.seal;
    HOLDS(seal.time >= 0);
    HOLDS(std::is_sorted(seal.tags.begin(), seal.tags.end()));
    HOLDS(std::set<std::string>(seal.tags.begin(), seal.tags.end()).size() == seal.tags.size());
    std::size_t padded = seal.tags.size();
    while (padded > 4 && padded % 4 == 0)
        padded /= 4;
    HOLDS(padded == 4);
    HOLDS(Address::parse(seal.sender.lower())->lower() == seal.sender.lower());
}

void is_written_as_it_was_read(const CheckedSeal &checked, const std::string &text) {
    const std::string written = write_seal(checked.seal, *checked.key, "\r\n");
    HOLDS(without_blanks(written) == text);
    for (Input lines(written); !lines.rest().empty();)
        HOLDS(lines.until('\n').size() <= 998);
    const auto again = read_seal(written, keys());
    HOLDS(std::holds_alternative<CheckedSeal>(again));
}

void read(std::string_view value) {
    const auto got = read_seal(value, keys());
    const std::string text = without_blanks(value);
    const Tags tags = tags_of(text);
    const SealKey *key = tags.contains('k') ? keys().find(tags.at('k')) : nullptr;
    if (const auto *checked = std::get_if<CheckedSeal>(&got)) {
        HOLDS(checked->key == key && key != nullptr);
        HOLDS(tags.at('h') == mac(tags, *key));
        is_whole(*checked);
        is_written_as_it_was_read(*checked, text);
    } else if (std::get<SealFault>(got) == SealFault::forged) {
        HOLDS(key != nullptr);
    }
}

void read_authenticated(std::string_view value) {
    std::string text = without_blanks(value);
    text = text.substr(0, text.rfind(";h="));
    const Tags tags = tags_of(text);
    const SealKey *key = tags.contains('k') ? keys().find(tags.at('k')) : nullptr;
    read(text + ";h=" + mac(tags, key != nullptr ? *key : keys().sealing()));
}

// A fault's sentence goes to the log, the file holds secrets.
void faults_keep_secrets(std::string_view text) {
    const auto got = SealKeys::parse(text);
    if (const auto *sentence = std::get_if<std::string>(&got)) {
        HOLDS(!sentence->empty() && sentence->size() < 120);
    } else {
        const auto &read_keys = std::get<SealKeys>(got);
        HOLDS(!read_keys.sealing().id().empty() && read_keys.sealing().id().size() <= 32);
        HOLDS(read_keys.find(read_keys.sealing().id()) == &read_keys.sealing());
    }
}

} // namespace

void seal(std::string_view input) {
    read(input);
    read_authenticated(input);
    faults_keep_secrets(input);
}

} // namespace demail::fuzz
