#include "milter_script.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace demail::test {
namespace {

using Random = std::mt19937_64;

std::size_t below(Random &random, std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
}

bool once_in(Random &random, std::size_t times) {
    return below(random, times) == 0;
}

template <std::size_t size>
std::string_view one_of(Random &random, const std::array<std::string_view, size> &choices) {
    return choices[below(random, size)];
}

constexpr std::array<std::string_view, 10> senders{
    "<anna@firm.example>",
    "<robot@firm.example>",
    "<scan@firm.example>",
    "<x@branch.example>",
    "<>",
    "<x@elsewhere.example>",
    "anna@firm.example",
    "<@relay.example:anna@firm.example>",
    "<\"anna\"@firm.example>",
    "<anna@firm.example",
};
constexpr std::array<std::string_view, 12> recipients{
    "<bob@x.de-mail.de>",
    "<y@elsewhere.example>",
    "<carol@y.de-mail.de.>",
    "<\"bob@x.de-mail.de\"@elsewhere.example>",
    "<bob%x.de-mail.de@elsewhere.example>",
    "<@elsewhere.example:bob@x.de-mail.de>",
    "<bob@x\xe3\x80\x82"
    "de-mail.de>",
    "<bob@[192.0.2.1]>",
    "<bob@ended.de-mail.de>",
    "<>",
    "<BOB@X.DE-MAIL.DE>",
    "<b\xc3\xb6"
    "b@x.de-mail.de>",
};
struct Field {
    std::string_view name, value;
};
constexpr std::array<Field, 22> fields{{
    {"From", " Anna <anna@firm.example>"},
    {"From", " x@elsewhere.example"},
    {"From", " a@b.example, c@d.example"},
    {"Sender", " anna@firm.example"},
    {"Reply-To", " Anna <anna@firm.example>, y@elsewhere.example"},
    {"To", " Bob <bob@x.de-mail.de>"},
    {"Cc", " undisclosed: ;"},
    {"Subject", " [Versandbest=?utf-8?Q?=C3=A4tigung?=] Vertrag"},
    {"Subject", " =?utf-8?B?W1ZlcnNhbmRiZXN0w6R0aWd1bmdd?= Vertrag"},
    {"Subject", " [Pers\xc3\xb6nlich] [Eingangsbest\xc3\xa4tigung]\n Vertrag"},
    {"Subject", " =?utf-8?Q?"},
    {"Date", " Mon, 1 Jan 2024 00:00:00 +0000"},
    {"Message-ID", " <1@firm.example>"},
    {"Resent-From", " x@elsewhere.example"},
    {"x-de-mail-confirmation-of-receipt", " yes"},
    {"X-De-Mail-Private", " \"yes\""},
    {"x-de-mail-version", " 1.3"},
    {"X_DE_MAIL Auth-Level ", " high"},
    {"Demail-Seal", " v=1; k=k1; t=1700000000; n=AAAAAAAAAAAAAAAAAAAAAA; a=firm; s=x; e=; o="},
    {"Demail-Seal", ""},
    {"", " no name"},
    {"=?utf-8?Q?x-de-mail-version?=", " 1"},
}};
constexpr std::array<std::string_view, 4> addresses{"192.0.2.7", "127.0.0.1", "10.1.2.3",
                                                    "IPv6:::ffff:10.1.2.3"};
constexpr std::array<std::string_view, 4> logins{"anna", "ANNA", "bob", ""};

MilterPacket macros(char of, std::initializer_list<std::string_view> pairs) {
    return {'D', std::string(1, of) + strings(pairs)};
}

void add_letter(MilterScript &script) {
    script.insert(script.end(), {macros('M', {"{client_addr}", "192.0.2.7", "{daemon_port}", "587",
                                              "{auth_authen}", "anna"}),
                                 {'M', strings({senders[0]})},
                                 {'R', strings({recipients[0]})},
                                 {'L', strings({fields[0].name, fields[0].value})},
                                 {'N', ""},
                                 {'B', "Good day.\r\n"},
                                 {'E', ""}});
}

void add_message(MilterScript &script, Random &random) {
    if (once_in(random, 3)) return add_letter(script);
    const bool local = once_in(random, 6);
    std::string of_client(1, 'M');
    of_client += strings({"{client_addr}", local ? "127.0.0.1" : one_of(random, addresses),
                          "{daemon_port}", local ? "0" : "587"});
    if (!local && !once_in(random, 3))
        of_client += strings({"{auth_authen}", one_of(random, logins)});
    if (local) of_client += strings({"i", "4Qabcde"});
    script.push_back({'D', of_client});
    script.push_back({'M', strings({once_in(random, 2) ? senders[0] : one_of(random, senders)})});
    for (auto count = 1 + below(random, 4); count > 0; --count) {
        script.push_back(macros('R', {"i", "4Qabcde"}));
        script.push_back(
            {'R', strings({once_in(random, 2) ? recipients[0] : one_of(random, recipients)})});
    }
    if (once_in(random, 12)) script.push_back({'A', ""});
    script.push_back({'T', ""});
    if (!once_in(random, 4)) script.push_back({'L', strings({fields[0].name, fields[0].value})});
    for (auto count = below(random, 8); count > 0; --count) {
        const Field &field = fields[below(random, fields.size())];
        script.push_back({'L', strings({field.name, field.value})});
    }
    script.push_back(macros('N', {"i", "4Qabcde"}));
    script.push_back({'N', ""});
    for (auto count = below(random, 3); count > 0; --count)
        script.push_back({'B', std::string(below(random, 4000), 'x') + "\r\n"});
    script.push_back(macros('E', {"i", "4Qabcde"}));
    script.push_back({'E', once_in(random, 8) ? "last piece\r\n" : ""});
    if (once_in(random, 8)) script.push_back({'A', ""});
}

std::string noise(Random &random, std::size_t size) {
    std::string made(size, '\0');
    for (char &one : made)
        one = static_cast<char>(random());
    return made;
}

void damage_data(std::string &data, Random &random) {
    switch (below(random, 6)) {
    case 0: // an octet
        if (!data.empty()) data[below(random, data.size())] = static_cast<char>(random());
        break;
    case 1: // cut, often before its NUL
        data.resize(below(random, data.size() + 1));
        break;
    case 2:
        data += noise(random, below(random, 40));
        break;
    case 3: // without its NULs
        std::erase(data, '\0');
        break;
    case 4: // about the most that libmilter takes, or over it
        if (once_in(random, 10)) data.insert(0, 65500 + below(random, 80), 'a');
        break;
    default:
        data += data;
    }
}

void damage_packets(MilterScript &script, Random &random) {
    if (script.empty()) return;
    const auto at = script.begin() + static_cast<std::ptrdiff_t>(below(random, script.size()));
    const auto other = script.begin() + static_cast<std::ptrdiff_t>(below(random, script.size()));
    switch (below(random, 7)) {
    case 0:
        script.erase(at);
        break;
    case 1:
        script.insert(at, MilterPacket(*other));
        break;
    case 2:
        std::swap(*at, *other);
        break;
    case 3: {
        static constexpr std::string_view commands = "ABCDEHKLMNOQRTU\0az";
        at->command = once_in(random, 3) ? static_cast<char>(random())
                                         : commands[below(random, commands.size())];
        break;
    }
    case 4:
        script.resize(below(random, script.size() + 1));
        break;
    default:
        damage_data(at->data, random);
    }
}

void damage_octets(std::string &all, Random &random) {
    if (all.empty()) return;
    switch (below(random, 3)) {
    case 0: // a length, mostly
        all[below(random, all.size())] = static_cast<char>(random());
        break;
    case 1:
        all.resize(below(random, all.size()));
        break;
    default:
        all.insert(below(random, all.size()), noise(random, 1 + below(random, 30)));
    }
}

} // namespace

std::string strings(std::initializer_list<std::string_view> parts) {
    std::string all;
    for (const std::string_view part : parts) {
        all += part;
        all += '\0';
    }
    return all;
}

MilterPacket offer(std::uint32_t version, std::uint32_t actions, std::uint32_t steps) {
    const std::array<std::uint32_t, 3> words{htonl(version), htonl(actions), htonl(steps)};
    std::string data(sizeof words, '\0');
    std::memcpy(data.data(), words.data(), sizeof words);
    return {'O', data};
}

MilterScript annas_letter() {
    MilterScript script{offer()};
    add_letter(script);
    script.push_back({'Q', ""});
    return script;
}

MilterScript random_script(Random &random) {
    MilterScript script{once_in(random, 12) ? offer(static_cast<std::uint32_t>(below(random, 8)),
                                                    static_cast<std::uint32_t>(random()),
                                                    static_cast<std::uint32_t>(random()))
                                            : offer()};
    for (auto count = 1 + below(random, 3); count > 0; --count)
        add_message(script, random);
    script.push_back({'Q', ""});
    return script;
}

std::string octets(const MilterScript &script) {
    std::string all;
    for (const MilterPacket &packet : script) {
        const std::uint32_t size = htonl(static_cast<std::uint32_t>(packet.data.size() + 1));
        all.append(reinterpret_cast<const char *>(&size), sizeof size);
        all += packet.command;
        all += packet.data;
    }
    return all;
}

std::string damaged(MilterScript script, Random &random) {
    if (!once_in(random, 4))
        for (auto count = 1 + below(random, 5); count > 0; --count)
            damage_packets(script, random);
    std::string all = octets(script);
    if (once_in(random, 4)) damage_octets(all, random);
    return all;
}

} // namespace demail::test
