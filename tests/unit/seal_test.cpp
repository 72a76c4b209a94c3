#include "check.hpp"
#include "message/seal.hpp"

#include <algorithm>

using namespace demail;

namespace {

SealKeys parsed(std::string_view text) {
    return std::get<SealKeys>(SealKeys::parse(text));
}

const std::string digits_a(64, 'a');
const std::string digits_b(64, 'b');

const SealKeys &keys() {
    static const SealKeys both = parsed("new " + digits_a + "\nold " + digits_b + "\n");
    return both;
}

Address address(std::string_view text) {
    return *Address::parse(text);
}

std::vector<Address> numbered(std::size_t count) {
    std::vector<Address> addresses;
    for (std::size_t i = 0; i < count; ++i)
        addresses.push_back(address("r" + std::to_string(i) + "@stadt.de-mail.de"));
    return addresses;
}

Seal seal_for(const std::vector<Address> &recipients, const SealKey &key) {
    Seal seal;
    seal.time = 1767225600;
    seal.n = new_nonce();
    seal.account = "firm";
    seal.sender = address("anna@firm.de-mail.de");
    seal.envelope_sender = "anna@firm.example";
    seal.options.set(Option::personal);
    seal.tags = recipient_tags(key, seal.n, recipients);
    seal.fields = sha256("fields");
    seal.body = sha256("body");
    return seal;
}

std::string written(std::size_t recipients = 3) {
    const SealKey &key = keys().sealing();
    return write_seal(seal_for(numbered(recipients), key), key);
}

bool holds(std::string_view value, const SealKeys &known = keys()) {
    return std::holds_alternative<CheckedSeal>(read_seal(value, known));
}

bool is(std::string_view value, SealFault fault, const SealKeys &known = keys()) {
    const auto read = read_seal(value, known);
    const auto *found = std::get_if<SealFault>(&read);
    return found != nullptr && *found == fault;
}

std::size_t longest_line(std::string_view text) {
    std::size_t longest = 0;
    std::size_t column = seal_field.size() + 1;
    for (const char c : text) {
        column = c == '\n' ? 0 : column + 1;
        longest = std::max(longest, column);
    }
    return longest;
}

std::string refolded(std::string_view value, std::string_view fold) {
    std::string text;
    for (const char c : value) {
        if (c == '\n') continue;
        text += c;
        if (c == ';') text += fold;
    }
    return text;
}

} // namespace

static void a_seal_is_read_back_with_all_its_values() {
    const SealKey &key = keys().sealing();
    const Seal seal = seal_for(numbered(3), key);
    const auto read = read_seal(write_seal(seal, key), keys());
    const auto &checked = std::get<CheckedSeal>(read);
    CHECK_EQUAL(checked.key->id(), "new");
    CHECK_EQUAL(checked.seal.time, seal.time);
    CHECK(checked.seal.n == seal.n);
    CHECK_EQUAL(checked.seal.account, seal.account);
    CHECK(checked.seal.sender == seal.sender);
    CHECK_EQUAL(checked.seal.envelope_sender, seal.envelope_sender);
    CHECK(checked.seal.options == seal.options);
    CHECK(checked.seal.tags == seal.tags);
    CHECK(checked.seal.fields == seal.fields);
    CHECK(checked.seal.body == seal.body);
}

static void a_seal_with_the_second_key_is_accepted() {
    const SealKey *old = keys().find("old");
    CHECK(old != nullptr);
    const auto read = read_seal(write_seal(seal_for(numbered(1), *old), *old), keys());
    CHECK_EQUAL(std::get<CheckedSeal>(read).key->id(), "old");
}

static void a_seal_with_another_key_is_forged() {
    CHECK(is(written(), SealFault::forged, parsed("new " + digits_b)));
}

static void a_seal_with_a_key_nobody_knows_is_an_unknown_key() {
    CHECK(is(written(), SealFault::unknown_key, parsed("other " + digits_a)));
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void no_bit_of_a_seal_can_be_changed() {
    const std::string value = written(20);
    CHECK(holds(value));
    for (std::size_t i = 0; i < value.size(); ++i) {
        for (unsigned bit = 0; bit < 8; ++bit) {
            std::string changed = value;
            changed[i] = static_cast<char>(static_cast<unsigned char>(changed[i]) ^ 1U << bit);
            const bool still_blank = is_blank(value[i]) && is_blank(changed[i]);
            CHECK(!still_blank || holds(changed));
            if (!still_blank && holds(changed))
                CHECK_EQUAL(changed, "octet " + std::to_string(i) + " does not matter");
        }
    }
}

static void no_octet_but_a_blank_can_be_left_out() {
    const std::string value = written();
    for (std::size_t i = 0; i < value.size(); ++i) {
        CHECK_EQUAL(holds(std::string(value).erase(i, 1)), is_blank(value[i]));
    }
}

static void a_seal_cut_short_does_not_hold() {
    const std::string value = written();
    for (std::size_t size = 0; size < value.size(); ++size)
        CHECK(!holds(value.substr(0, size)));
}

static void the_values_of_two_seals_do_not_mix() {
    const std::string one = written();
    const std::string other = written();
    for (const char *tag : {" n=", " r=", " h="}) {
        const auto value = [tag](const std::string &text) {
            const std::size_t from = text.find(tag[1], text.find(std::string(1, tag[1]) + '='));
            return std::pair(from, std::min(text.find(';', from), text.size()) - from);
        };
        const auto [from, size] = value(one);
        const auto [other_from, other_size] = value(other);
        std::string mixed = one;
        mixed.replace(from, size, other.substr(other_from, other_size));
        CHECK(mixed != one);
        CHECK(!holds(mixed));
    }
}

static void folding_does_not_matter() {
    const std::string value = written(120);
    CHECK(value.find('\n') != std::string::npos);
    CHECK(holds(value));
    for (const char *fold : {"\r\n ", "\n\t", "\r\n \t ", ""})
        CHECK(holds(refolded(value, fold)));
    CHECK(holds(value + "\r\n"));
}

static void five_thousand_recipients_fit_and_no_line_passes_78_octets() {
    const SealKey &key = keys().sealing();
    const auto recipients = numbered(5000);
    const std::string value = write_seal(seal_for(recipients, key), key);
    CHECK(value.starts_with(" v=1; k=new; "));
    CHECK(longest_line(value) <= 78);
    const auto read = read_seal(value, keys());
    const Seal &seal = std::get<CheckedSeal>(read).seal;
    CHECK_EQUAL(seal.tags.size(), 16384U);
    for (const Address &recipient : recipients)
        CHECK(seal.covers(key, recipient));
    CHECK(!seal.covers(key, address("r5000@stadt.de-mail.de")));
}

static void the_longest_addresses_stay_below_998_octets_a_line() {
    const SealKey &key = keys().sealing();
    Seal seal = seal_for(numbered(1), key);
    std::string sender(64, '%');
    sender += "@a";
    for (int i = 0; i < 4; ++i)
        sender += '.' + std::string(60, 'b');
    seal.sender = address(sender);
    seal.envelope_sender = std::string(2000, ';');
    const std::string value = write_seal(seal, key, "\r\n");
    CHECK(longest_line(value) <= 998);
    const auto read = read_seal(value, keys());
    CHECK_EQUAL(std::get<CheckedSeal>(read).seal.envelope_sender, seal.envelope_sender);
    CHECK(std::get<CheckedSeal>(read).seal.sender == seal.sender);
}

static void a_value_over_one_mebibyte_is_malformed() {
    const std::string value = written();
    const std::size_t mebibyte = 1 << 20;
    CHECK(holds(std::string(mebibyte - value.size(), ' ') + value));
    CHECK(is(std::string(mebibyte - value.size() + 1, ' ') + value, SealFault::malformed));
}

static void the_number_of_recipients_shows_only_as_a_power_of_four() {
    const SealKey &key = keys().sealing();
    for (const auto &[recipients, tags] :
         {std::pair(1U, 4U), {4U, 4U}, {5U, 16U}, {16U, 16U}, {17U, 64U}, {65U, 256U}}) {
        const auto made = recipient_tags(key, new_nonce(), numbered(recipients));
        CHECK_EQUAL(made.size(), tags);
        CHECK(std::ranges::is_sorted(made));
    }
}

static void padding_is_another_each_time_and_covers_no_stranger() {
    const SealKey &key = keys().sealing();
    const Seal seal = seal_for(numbered(5), key);
    CHECK(recipient_tags(key, seal.n, numbered(5)) != seal.tags);
    std::size_t covered = 0;
    for (const Address &one : numbered(2000))
        covered += seal.covers(key, one) ? 1U : 0U;
    CHECK_EQUAL(covered, 5U);
}

static void a_recipient_is_covered_however_it_is_written() {
    const SealKey &key = keys().sealing();
    const Seal seal =
        seal_for({address("Bea@Stadt.de-mail.de."), address("bea@stadt.de-mail.de")}, key);
    CHECK_EQUAL(seal.tags.size(), 4U);
    CHECK(seal.covers(key, address("\"BEA\"@STADT.de-mail.de")));
}

static void tags_of_one_hand_over_say_nothing_about_the_next() {
    const SealKey &key = keys().sealing();
    Seal seal = seal_for(numbered(1), key);
    seal.n = new_nonce();
    CHECK(!seal.covers(key, numbered(1).front()));
}

static void a_key_file_may_hold_comments_and_the_first_key_seals() {
    const SealKeys read = parsed("# seals\r\n\n  2026 \t" + digits_b + " \r\n#old " + digits_a +
                                 "\n2025 " + digits_a);
    CHECK_EQUAL(read.sealing().id(), "2026");
    CHECK(read.find("2025") != nullptr);
    CHECK(read.find("old") == nullptr);
    CHECK(read.find("") == nullptr);
}

static void a_fault_in_the_key_file_is_named_by_its_line_without_the_secret() {
    const std::string good = "a " + digits_a + "\n";
    for (const auto &[text, line] : {std::pair(good + "b", 2),
                                     {good + "b " + digits_b.substr(1), 2},
                                     {"a b" + digits_a, 1},
                                     {"\n\na " + digits_a + "a", 3},
                                     {digits_b, 1},
                                     {"a " + digits_a + " x", 1},
                                     {good + good, 2},
                                     {"a;b " + digits_b, 1},
                                     {std::string(33, 'k') + ' ' + digits_b, 1},
                                     {"a " + std::string(63, 'a') + 'g', 1}}) {
        const auto read = SealKeys::parse(text);
        const auto *fault = std::get_if<std::string>(&read);
        CHECK(fault != nullptr);
        CHECK_EQUAL(fault->substr(0, fault->find(':')), "line " + std::to_string(line));
        CHECK(fault->find("aaaa") == std::string::npos && fault->find("bbbb") == std::string::npos);
    }
    for (const char *text : {"", "\n", "# nothing\n"})
        CHECK(std::holds_alternative<std::string>(SealKeys::parse(text)));
}

int main() {
    return demail::test::run(
        "seal",
        {TEST(a_seal_is_read_back_with_all_its_values),
         TEST(a_seal_with_the_second_key_is_accepted), TEST(a_seal_with_another_key_is_forged),
         TEST(a_seal_with_a_key_nobody_knows_is_an_unknown_key),
         TEST(no_bit_of_a_seal_can_be_changed), TEST(no_octet_but_a_blank_can_be_left_out),
         TEST(a_seal_cut_short_does_not_hold), TEST(the_values_of_two_seals_do_not_mix),
         TEST(folding_does_not_matter),
         TEST(five_thousand_recipients_fit_and_no_line_passes_78_octets),
         TEST(the_longest_addresses_stay_below_998_octets_a_line),
         TEST(a_value_over_one_mebibyte_is_malformed),
         TEST(the_number_of_recipients_shows_only_as_a_power_of_four),
         TEST(padding_is_another_each_time_and_covers_no_stranger),
         TEST(a_recipient_is_covered_however_it_is_written),
         TEST(tags_of_one_hand_over_say_nothing_about_the_next),
         TEST(a_key_file_may_hold_comments_and_the_first_key_seals),
         TEST(a_fault_in_the_key_file_is_named_by_its_line_without_the_secret)});
}
