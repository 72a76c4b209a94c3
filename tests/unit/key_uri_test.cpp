#include "check.hpp"
#include "crypto/key_uri.hpp"

#include <random>

using demail::crypto::KeyUri;
using namespace demail::test;

namespace {

KeyUri good(std::string_view text) {
    const auto parsed = KeyUri::parse(text);
    if (const auto *fault = std::get_if<std::string>(&parsed))
        throw Failure{*fault, __FILE__, __LINE__};
    return std::get<KeyUri>(parsed);
}

std::string fault(std::string_view text) {
    const auto parsed = KeyUri::parse(text);
    const auto *sentence = std::get_if<std::string>(&parsed);
    return sentence == nullptr ? "no fault" : *sentence;
}

bool faulty_about(std::string_view text, std::string_view word) {
    return fault(text).find(word) != std::string::npos;
}

void every_attribute_is_read() {
    const KeyUri uri = good("pkcs11:token=firm;serial=4711;manufacturer=NXP;model=TCOS;slot-id=3;"
                            "object=demail-auth;id=%01%aB;type=private"
                            "?module-path=/usr/lib/x.so&pin-source=file:/etc/demail/pin");
    CHECK_EQUAL(*uri.token, "firm");
    CHECK_EQUAL(*uri.serial, "4711");
    CHECK_EQUAL(*uri.manufacturer, "NXP");
    CHECK_EQUAL(*uri.model, "TCOS");
    CHECK_EQUAL(*uri.slot_id, "3");
    CHECK_EQUAL(*uri.object, "demail-auth");
    CHECK_EQUAL(*uri.id, "\x01\xab");
    CHECK_EQUAL(*uri.module_path, "/usr/lib/x.so");
    CHECK_EQUAL(*uri.pin_file, "/etc/demail/pin");
}

void what_is_not_named_is_left_open() {
    const KeyUri uri = good("pkcs11:");
    CHECK(!uri.token && !uri.object && !uri.id && !uri.module_path && !uri.pin_file);
}

void values_are_percent_decoded_once() {
    CHECK_EQUAL(*good("pkcs11:token=Die%20Firma%3b%3D%25").token, "Die Firma;=%");
    CHECK_EQUAL(*good("pkcs11:token=%2541").token, "%41");
    CHECK_EQUAL(*good("pkcs11:token=a=b&c").token, "a=b&c");
    CHECK_EQUAL(*good("pkcs11:token=B%C3%BCro").token, "B\xc3\xbcro");
    CHECK_EQUAL(*good("pkcs11:id=%00%1f").id, std::string("\0\x1f", 2));
}

void the_scheme_has_no_case_and_attributes_do() {
    CHECK_EQUAL(*good("PKCS11:token=a").token, "a");
    CHECK(faulty_about("pkcs11:Token=a", "not known"));
}

void another_scheme_is_refused() {
    for (const char *text :
         {"", "pkcs11", "token=a", "file:/etc/key", "pkcs12:token=a", " pkcs11:"})
        CHECK(faulty_about(text, "\"pkcs11:\""));
}

void a_pin_in_the_uri_is_refused_without_repeating_it() {
    CHECK(faulty_about("pkcs11:token=a?pin-value=123456", "must not hold a PIN"));
    CHECK(!faulty_about("pkcs11:token=a?pin-value=123456", "123456"));
}

void a_pin_source_is_a_file_by_absolute_path() {
    CHECK_EQUAL(*good("pkcs11:?pin-source=file:/run/pin").pin_file, "/run/pin");
    CHECK_EQUAL(*good("pkcs11:?pin-source=file:///run/pin").pin_file, "/run/pin");
    for (const char *source : {"/run/pin", "file:pin", "file:", "file:/", "file://host/pin",
                               "%7ccat%20/run/pin", "|cat", "https://host/pin", "FILE:/run/pin"})
        CHECK(faulty_about(std::string("pkcs11:?pin-source=") + source,
                           "pin-source must name a file"));
}

void a_module_is_named_by_absolute_path() {
    CHECK(faulty_about("pkcs11:?module-path=x.so", "absolute path"));
    CHECK(faulty_about("pkcs11:?module-name=softhsm", "module-path"));
}

void an_attribute_twice_is_a_fault() {
    CHECK(faulty_about("pkcs11:token=a;token=a", "\"token\" stands twice"));
    CHECK(faulty_about("pkcs11:?module-path=/a&module-path=/b", "\"module-path\" stands twice"));
}

void an_unknown_attribute_is_a_fault_but_a_vendors_is_not() {
    CHECK(faulty_about("pkcs11:colour=red", "\"colour\" is not known"));
    CHECK(faulty_about("pkcs11:pin-source=file:/a", "behind a question mark"));
    CHECK(faulty_about("pkcs11:token=a;module-path=/a", "behind a question mark"));
    CHECK(faulty_about("pkcs11:pin-value=1", "\"pin-value\" is not known"));
    CHECK(faulty_about("pkcs11:?token=a", "\"token\" is not known"));
    CHECK_EQUAL(*good("pkcs11:x-colour=red;token=a;x-colour=blue?x-y=1").token, "a");
}

void a_private_key_is_wanted() {
    for (const char *type : {"cert", "public", "secret-key", "data", "Private"})
        CHECK(faulty_about(std::string("pkcs11:type=") + type, "type must be"));
}

void a_slot_is_a_number() {
    for (const char *slot : {"a", "-1", "0x1", "12345678901234567890", "%00"})
        CHECK(fault(std::string("pkcs11:slot-id=") + slot) != "no fault");
}

void malformed_text_is_a_fault() {
    for (const char *text :
         {"pkcs11:token", "pkcs11:=a", "pkcs11:;", "pkcs11:token=a;",
          "pkcs11:token=", "pkcs11:token=%", "pkcs11:token=%4", "pkcs11:token=%4g",
          "pkcs11:token=a?", "pkcs11:token=a%0Ab", "pkcs11:token=a%00b", "pkcs11:token=%7f"})
        CHECK(fault(text) != "no fault");
    CHECK(faulty_about("pkcs11:token=my token", "write %20"));
    CHECK(faulty_about("pkcs11:token=B\xc3\xbcro", "write %C3"));
    CHECK(faulty_about("pkcs11:token=a/b", "write %2F"));
    CHECK(faulty_about("pkcs11:token=" + std::string(4096, 'a'), "longer"));
}

void a_fault_never_repeats_strange_bytes() {
    for (const char *text : {"pkcs11:%1b[31m=a", "pkcs11:to'ken=a", "pkcs11:token=\x1b[31m"})
        for (const char c : fault(text))
            CHECK(c >= 0x20 && c < 0x7f);
}

std::string encoded(std::mt19937 &random, const std::string &value) {
    std::string text;
    for (const char c : value) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        char escaped[4];
        std::snprintf(escaped, sizeof escaped, random() % 2 ? "%%%02X" : "%%%02x",
                      static_cast<unsigned>(static_cast<unsigned char>(c)));
        text += plain && random() % 4 ? std::string(1, c) : std::string(escaped);
    }
    return text;
}

void any_value_survives_encoding() {
    std::mt19937 random(7512);
    for (int round = 0; round < 3000; ++round) {
        std::string label, id;
        for (unsigned i = random() % 20 + 1; i > 0; --i) {
            const char c = static_cast<char>(random() % 256);
            id += c;
            label += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? 'x' : c;
        }
        const KeyUri uri =
            good("pkcs11:object=" + encoded(random, label) + ";id=" + encoded(random, id));
        CHECK_EQUAL(*uri.object, label);
        CHECK_EQUAL(*uri.id, id);
    }
}

// Damaged and random text: no crash (the sanitizers watch), and what is let through keeps the
// promises of the header.
void damaged_text_gives_a_fault_or_a_sound_uri() {
    const std::string sound =
        "pkcs11:token=firm;serial=%31;object=a;id=%01;slot-id=3;type=private;x-a=b"
        "?module-path=/a.so&pin-source=file:/b";
    const std::string_view pieces[] = {"%",           "=",       ";",   "&",     "?",
                                       "pin-value=1", "token=a", "%00", "file:", "/"};
    std::mt19937 random(20260101);
    int accepted = 0;
    for (int round = 0; round < 50000; ++round) {
        std::string text = sound;
        for (unsigned i = random() % 4 + 1; i > 0; --i) {
            const std::size_t at = random() % (text.size() + 1);
            switch (random() % 4) {
            case 0:
                text.erase(at, random() % 5);
                break;
            case 1:
                text.insert(at, pieces[random() % std::size(pieces)]);
                break;
            case 2:
                text.insert(at, 1, static_cast<char>(random() % 256));
                break;
            default:
                text = text.substr(0, random() % 8 ? text.size() : at);
                break;
            }
        }
        const auto parsed = KeyUri::parse(text);
        if (const auto *sentence = std::get_if<std::string>(&parsed)) {
            CHECK(!sentence->empty());
            continue;
        }
        ++accepted;
        const KeyUri &uri = std::get<KeyUri>(parsed);
        for (const auto *value : {&uri.token, &uri.serial, &uri.object, &uri.slot_id, &uri.id})
            CHECK(!*value || !(*value)->empty());
        CHECK(!uri.token || uri.token->find('\0') == std::string::npos);
        CHECK(!uri.module_path || uri.module_path->front() == '/');
        CHECK(!uri.pin_file || uri.pin_file->front() == '/');
    }
    CHECK(accepted > 1000); // the damage is not so great that nothing is tested
}

} // namespace

int main() {
    return run(
        "key_uri",
        {TEST(every_attribute_is_read), TEST(what_is_not_named_is_left_open),
         TEST(values_are_percent_decoded_once), TEST(the_scheme_has_no_case_and_attributes_do),
         TEST(another_scheme_is_refused), TEST(a_pin_in_the_uri_is_refused_without_repeating_it),
         TEST(a_pin_source_is_a_file_by_absolute_path), TEST(a_module_is_named_by_absolute_path),
         TEST(an_attribute_twice_is_a_fault),
         TEST(an_unknown_attribute_is_a_fault_but_a_vendors_is_not), TEST(a_private_key_is_wanted),
         TEST(a_slot_is_a_number), TEST(malformed_text_is_a_fault),
         TEST(a_fault_never_repeats_strange_bytes), TEST(any_value_survives_encoding),
         TEST(damaged_text_gives_a_fault_or_a_sound_uri)});
}
