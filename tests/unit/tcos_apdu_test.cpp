// Command and response APDUs, and what a log may show of them.
#include "check.hpp"
#include "netkey_script.hpp"
#include "tcos/apdu.hpp"

#include <random>

using namespace demail::tcos;
using namespace demail::test;

namespace {

std::string encoded(const Command &command) {
    Bytes out(longest_command);
    const auto size = encode(command, out);
    if (!size) return "none";
    out.resize(*size);
    return text_hex(out);
}

void the_four_cases_have_their_short_forms() {
    const Bytes data = octets("df01");
    CHECK_EQUAL(encoded({0x00, 0x20, 0x00, 0x81, {}, 0}), "00200081");
    CHECK_EQUAL(encoded({0x00, 0xb0, 0x01, 0x02, {}, 16}), "00b0010210");
    CHECK_EQUAL(encoded({0x00, 0xb0, 0x01, 0x02, {}, 256}), "00b0010200");
    CHECK_EQUAL(encoded({0x00, 0xa4, 0x08, 0x0c, data, 0}), "00a4080c02df01");
    CHECK_EQUAL(encoded({0x00, 0xa4, 0x08, 0x04, data, 256}), "00a4080402df0100");
}

void the_extended_forms_begin_where_the_short_ones_end() {
    const Bytes longest_short(255, 0xaa);
    const Bytes data(256, 0xaa);
    CHECK_EQUAL(encoded({0x00, 0x2a, 0x80, 0x86, longest_short, 0}).substr(0, 12), "002a8086ffaa");
    CHECK_EQUAL(encoded({0x00, 0x2a, 0x80, 0x86, data, 0}).substr(0, 16), "002a8086000100aa");
    CHECK_EQUAL(encoded({0x00, 0x2a, 0x80, 0x86, data, 0}).size(), 2U * (4 + 3 + 256));
    CHECK_EQUAL(encoded({0x00, 0xb0, 0x00, 0x00, {}, 257}), "00b00000000101");
    const std::string both = encoded({0x00, 0x2a, 0x80, 0x86, data, 256});
    CHECK_EQUAL(both.substr(0, 14), "002a8086000100");
    CHECK_EQUAL(both.substr(both.size() - 6), "aa0100");
}

void what_passes_a_limit_is_not_encoded() {
    const Bytes most(longest_data), more(longest_data + 1);
    CHECK(encoded({0x00, 0x2a, 0x80, 0x86, most, longest_expected}) != "none");
    CHECK_EQUAL(encoded({0x00, 0x2a, 0x80, 0x86, more, 0}), "none");
    CHECK_EQUAL(encoded({0x00, 0xb0, 0x00, 0x00, {}, longest_expected + 1}), "none");
    Bytes small(6);
    CHECK(!encode({0x00, 0xa4, 0x08, 0x0c, octets("df01"), 0}, small));
}

void an_answer_has_a_status_word_or_is_none() {
    const Bytes answer = octets("5a0102639f");
    const auto response = parse_response(answer);
    CHECK_EQUAL(text_hex(response->data), "5a0102");
    CHECK_EQUAL(response->status.value, 0x639f);
    CHECK(!parse_response(octets("90")));
    CHECK(!parse_response({}));
    CHECK(parse_response(octets("9000"))->status.good());
}

void status_words_are_said_in_words() {
    CHECK_EQUAL(text(StatusWord{0x6a82}), "6A82, file not found");
    CHECK_EQUAL(text(StatusWord{0x63c2}), "63C2, tries left: 2");
    CHECK_EQUAL(text(StatusWord{0x9000}), "9000");
}

void a_description_shows_what_is_chosen_and_read() {
    CHECK_EQUAL(description(octets("00a4080c02df01")), "00 A4 08 0C 02 DF 01");
    CHECK_EQUAL(description(octets("00b0010200")), "00 B0 01 02 00");
    CHECK_EQUAL(description(octets("002241b803840182")), "00 22 41 B8 03 84 01 82");
    CHECK_EQUAL(description(octets("00200081")), "00 20 00 81");
}

void a_description_shows_neither_a_pin_nor_its_length() {
    const std::string six = description(octets("0020008106313233343536"));
    CHECK_EQUAL(six, "00 20 00 81 ...");
    CHECK_EQUAL(description(octets("002000810831323334353637")), six);
    CHECK_EQUAL(description(octets("0024008106313233343536")), "00 24 00 81 ...");
    CHECK_EQUAL(description(octets("002c008106313233343536")), "00 2C 00 81 ...");
    CHECK_EQUAL(description(octets("002a80860003020102")), "00 2A 80 86 ...");
    // A PIN that came here by mistake.
    CHECK_EQUAL(description(octets("313233343536")), "(no command of ours)");
    CHECK_EQUAL(description(octets("003132")), "(no command of ours)");
}

// Whatever the instruction: behind the header only what selects and reads is shown.
void no_other_instruction_shows_its_data() {
    for (unsigned ins = 0; ins < 256; ++ins) {
        const bool open = ins == 0xa4 || ins == 0xb0 || ins == 0xb2 || ins == 0x22;
        const Bytes command = {0x00, static_cast<unsigned char>(ins), 0x00, 0x81, 0x02, 0x31, 0x39};
        CHECK_EQUAL(description(command).find("31") != std::string::npos &&
                        description(command).find("39") != std::string::npos,
                    open);
    }
}

void random_bytes_are_described_within_bounds() {
    std::mt19937 random(7816);
    for (int i = 0; i < 2000; ++i) {
        Bytes bytes(random() % 300);
        for (unsigned char &octet : bytes)
            octet = static_cast<unsigned char>(random());
        CHECK(description(bytes).size() < 128);
    }
}

} // namespace

int main() {
    return run("tcos_apdu",
               {TEST(the_four_cases_have_their_short_forms),
                TEST(the_extended_forms_begin_where_the_short_ones_end),
                TEST(what_passes_a_limit_is_not_encoded),
                TEST(an_answer_has_a_status_word_or_is_none), TEST(status_words_are_said_in_words),
                TEST(a_description_shows_what_is_chosen_and_read),
                TEST(a_description_shows_neither_a_pin_nor_its_length),
                TEST(no_other_instruction_shows_its_data),
                TEST(random_bytes_are_described_within_bounds)});
}
