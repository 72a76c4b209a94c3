// What a card can and signs, as the engine sees it: what it asks, and how often.
#include "netkey_life.hpp"

using namespace demail::tcos;
using namespace demail::test;
using demail::Secret;

namespace {

void a_card_is_known_by_its_serial_number_and_applications() {
    const auto script = netkey_script();
    Identified found = identify(script);
    const Card &card = std::get<Card>(found);
    CHECK_EQUAL(card.serial(), netkey_serial);
    CHECK_EQUAL(card.applications().size(), 1U);
    CHECK_EQUAL(card.applications()[0]->name, "NetKey");
    CHECK(card.known_atr() != nullptr);
    CHECK_EQUAL(script->sent.size(), 5U);
    CHECK_EQUAL(card.keys().size(), 4U);
    CHECK_EQUAL(card.pins().size(), 4U);
}

void a_card_of_several_applications_has_the_keys_of_all() {
    const auto script = netkey_script();
    script->answers["00a4040c06d27600006601"] = "9000";
    const Card card = netkey_card(script);
    CHECK_EQUAL(card.keys().size(), 5U);
    CHECK_EQUAL(key_of(card, 0x49).name, "SigG key");
    CHECK_EQUAL(card.pins().size(), 6U);
}

void an_unknown_atr_is_probed_and_said() {
    const std::string other = "3bbfb6008131fe5d00640428030231c073f701d000900068";
    const auto script = netkey_script();
    Identified found = identify(script, other);
    CHECK(std::get<Card>(found).known_atr() == nullptr);
    script->answers["00a4040c07d2760000030102"] = "6a82";
    found = identify(script, other);
    CHECK_EQUAL(std::get<UnknownCard>(found).why,
                "its ATR is not known, and it has no known application");
    CHECK_EQUAL(std::get<UnknownCard>(found).serial, netkey_serial);
    script->answers["00a4080c022f02"] = "6a82";
    found = identify(script, other);
    CHECK_EQUAL(std::get<UnknownCard>(found).why, "its ATR is not known, and it has no EF.GDO");
    CHECK_EQUAL(text_hex(std::get<UnknownCard>(found).atr), other);
}

void the_signature_card_with_elliptic_curves_is_named() {
    const auto script = netkey_script();
    const Identified found = identify(script, "3b9f968131fe9d006405a0030431c073f701d000900028");
    CHECK(std::get<UnknownCard>(found).why.find("elliptic curves") != std::string::npos);
    CHECK_EQUAL(std::get<UnknownCard>(found).serial, netkey_serial);
}

void a_serial_number_is_one_or_the_card_is_unknown() {
    const auto script = netkey_script();
    for (const char *bad : {"9000", "5a9000", "5a0a89490173000012345679000",
                            "5a0989490173000012349000", "5a0a8949017300001234567a9000",
                            "5b0a894901730000123456789000", "5a0a89fa01730000123456789000"}) {
        std::string answer = bad;
        if (answer.size() % 2 != 0) answer += "0";
        script->answers["00b0000000"] = answer;
        CHECK(std::holds_alternative<UnknownCard>(identify(script)));
    }
    script->answers["00b0000000"] = "5a0a8949017300001234567f"
                                    "000000006282"; // 19 digits, padding
    Identified found = identify(script);
    CHECK_EQUAL(std::get<Card>(found).serial(), "8949017300001234567F");
}

void the_first_signature_needs_five_apdus_and_each_further_one_one() {
    const auto script = netkey_script();
    Card card = netkey_card(script);
    CHECK_EQUAL(unlock_and_sign(card), "signed");
    CHECK_EQUAL(script->sent.size(), 5U);
    CHECK_EQUAL(script->sent[0], select_netkey);
    CHECK_EQUAL(script->sent[1], status_pin2);
    CHECK_EQUAL(script->sent[2], verify_pin2);
    CHECK_EQUAL(script->sent[3], choose_key_82);
    for (int i = 0; i < 100; ++i)
        CHECK(std::holds_alternative<Secret>(sign(card)));
    CHECK_EQUAL(script->sent.size(), 105U);
    CHECK_EQUAL(card.apdus(), 5U + 105U); // with those of identify()
}

void two_keys_in_turn_need_two_apdus_each() {
    const auto script = netkey_script();
    script->answers["002241b803840181"] = "9000";
    Card card = netkey_card(script);
    CHECK_EQUAL(unlock_and_sign(card), "signed");
    script->sent.clear();
    const Bytes cryptogram(256, 0x11);
    CHECK(std::holds_alternative<Secret>(
        card.operate(key_of(card, 0x46), KeyOperation::decipher, cryptogram, 2048)));
    CHECK(std::holds_alternative<Secret>(sign(card)));
    CHECK_EQUAL(script->sent.size(), 4U);
}

void a_signature_is_asked_for_as_published() {
    const auto script = netkey_script();
    Card card = netkey_card(script);
    CHECK(std::holds_alternative<Secret>(sign(card)));
    const std::string &pkcs1 = script->sent.back();
    CHECK_EQUAL(pkcs1.substr(0, 14 + 2 + 8), operate_2048 + "02" + "0001ffff");
    CHECK_EQUAL(pkcs1.substr(pkcs1.size() - 4 - 2 * 51 - 2),
                "00" + text_hex(digest_info_of_zeros()) + "0100");
    CHECK_EQUAL(pkcs1.size(), 2U * (4 + 3 + 257 + 2));
    const Bytes block(256, 0x33);
    CHECK(std::holds_alternative<Secret>(
        card.operate(key_of(card, 0x47), KeyOperation::sign_block, block, 2048)));
    CHECK_EQUAL(script->sent.back(), operate_2048 + "00" + text_hex(block) + "0100");
}

void a_key_for_signatures_alone_takes_48_bytes() {
    const auto script = netkey_script();
    Card card = netkey_card(script);
    const demail::tcos::Key &key = key_of(card, 0x45);
    const Bytes sha1_info = octets("3021300906052b0e03021a05000414" + std::string(40, '0'));
    script->answers["002a9e9a23" + text_hex(sha1_info) + "00"] = scripted_result() + "9000";
    CHECK(std::holds_alternative<Secret>(
        card.operate(key, KeyOperation::sign_pkcs1, sha1_info, 2048)));
    CHECK(std::holds_alternative<NotPossible>(
        card.operate(key, KeyOperation::sign_pkcs1, digest_info_of_zeros(), 2048)));
    CHECK(std::holds_alternative<NotPossible>(
        card.operate(key, KeyOperation::sign_block, Bytes(256), 2048)));
    CHECK(std::holds_alternative<NotPossible>(
        card.operate(key, KeyOperation::decipher, Bytes(256), 2048)));
}

void what_does_not_fit_a_key_never_reaches_it() {
    const auto script = netkey_script();
    Card card = netkey_card(script);
    const demail::tcos::Key &key = key_of(card, 0x47);
    for (const std::size_t bits : {0U, 512U, 2047U, 4104U, 8192U})
        CHECK(std::holds_alternative<NotPossible>(
            card.operate(key, KeyOperation::sign_block, Bytes(bits / 8), bits)));
    CHECK(std::holds_alternative<NotPossible>(
        card.operate(key, KeyOperation::sign_block, Bytes(255), 2048)));
    CHECK(std::holds_alternative<NotPossible>(
        card.operate(key, KeyOperation::sign_pkcs1, Bytes(246), 2048)));
    CHECK(script->sent.empty());
}

void certificates_are_read_in_few_pieces() {
    const auto script = netkey_script(certificate_der());
    Card card = netkey_card(script);
    auto read = card.certificates();
    const auto &found = std::get<std::vector<CertificateOnCard>>(read);
    CHECK_EQUAL(found.size(), 1U);
    CHECK_EQUAL(found[0].file, 0x4371);
    CHECK_EQUAL(found[0].key->id, 0x47);
    CHECK(std::holds_alternative<demail::tcos::Certificate>(found[0].content));
    CHECK_EQUAL(script->sent.size(), 1U + 10U + 2U); // DF, ten files, one of them read in two
    CHECK_EQUAL(script->count("00b0"), 2U);
}

void a_reader_without_extended_lengths_reads_certificates_too() {
    const auto script = netkey_script(certificate_der());
    Card card = netkey_card(script);
    const auto good = script->instead;
    script->instead = [&](std::size_t number, const std::string &command) -> std::optional<Answer> {
        if (command.compare(0, 4, "00b0") == 0 && command.size() > 10)
            return Answer(octets("6700"));
        return good(number, command);
    };
    auto read = card.certificates();
    CHECK(std::holds_alternative<demail::tcos::Certificate>(
        std::get<std::vector<CertificateOnCard>>(read).at(0).content));
}

void a_file_that_ends_early_or_is_locked_is_no_certificate() {
    for (const char *answer : {"9000", "6282", "6982", "6b00"}) {
        const auto script = netkey_script(certificate_der());
        Card card = netkey_card(script);
        const auto good = script->instead;
        script->instead = [&](std::size_t number,
                              const std::string &command) -> std::optional<Answer> {
            if (command.compare(0, 6, "00b001") == 0) return Answer(octets(answer));
            return good(number, command);
        };
        auto read = card.certificates();
        CHECK_EQUAL(
            std::get<NoCertificate>(std::get<std::vector<CertificateOnCard>>(read).at(0).content),
            NoCertificate::unreadable);
        CHECK_EQUAL(script->count("00b0"), 2U);
    }
}

void the_trace_never_shows_a_pin_or_a_result() {
    std::string log;
    const auto script = netkey_script();
    auto found = Card::identify(std::make_unique<ScriptedCard>(script), octets(netkey_atr),
                                [&](std::string_view apdu, std::string_view outcome) {
                                    log.append(apdu).append(" -> ").append(outcome).append("\n");
                                });
    Card &card = std::get<Card>(found);
    CHECK_EQUAL(unlock_and_sign(card), "signed");
    CHECK(log.find("00 20 00 83 ... -> 9000") != std::string::npos);
    CHECK(log.find("00 20 00 83 -> 63C3, tries left: 3") != std::string::npos);
    CHECK(log.find("00 2A 80 86 ... -> 9000") != std::string::npos);
    for (const char *secret_text : {"31 32", "123456", "3132", "5A 5A", "5a5a"})
        CHECK(log.find(secret_text) == std::string::npos);
}

void records_are_read_for_a_report() {
    const auto script = netkey_script();
    script->answers["00a4090c025349"] = "9000";
    script->answers["00a4090c025049"] = "9000";
    script->answers["00a4080c025349"] = "6a82";
    script->answers["00a4080c025049"] = "6a82";
    script->answers["00b2010400"] = "a003830182b8009000";
    script->answers["00b2020400"] = "6a83";
    Card card = netkey_card(script);
    auto read = card.records();
    const auto &all = std::get<std::vector<Records>>(read);
    CHECK_EQUAL(all.size(), 2U);
    CHECK_EQUAL(all[0].file, 0x5349);
    CHECK_EQUAL(text_hex(all[0].records.at(0)), "a003830182b800");
    script->answers["00b2010400"] = "9000"; // and every further one
    script->otherwise = "9000";
    read = card.records();
    CHECK(std::get<std::vector<Records>>(read).at(0).records.size() <= 32);
}

} // namespace

int main() {
    return run(
        "tcos_card",
        {TEST(a_card_is_known_by_its_serial_number_and_applications),
         TEST(a_card_of_several_applications_has_the_keys_of_all),
         TEST(an_unknown_atr_is_probed_and_said),
         TEST(the_signature_card_with_elliptic_curves_is_named),
         TEST(a_serial_number_is_one_or_the_card_is_unknown),
         TEST(the_first_signature_needs_five_apdus_and_each_further_one_one),
         TEST(two_keys_in_turn_need_two_apdus_each), TEST(a_signature_is_asked_for_as_published),
         TEST(a_key_for_signatures_alone_takes_48_bytes),
         TEST(what_does_not_fit_a_key_never_reaches_it), TEST(certificates_are_read_in_few_pieces),
         TEST(a_reader_without_extended_lengths_reads_certificates_too),
         TEST(a_file_that_ends_early_or_is_locked_is_no_certificate),
         TEST(the_trace_never_shows_a_pin_or_a_result), TEST(records_are_read_for_a_report)});
}
