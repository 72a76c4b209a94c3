// The wire's bytes: what goes in comes out, and nothing else does.
#include "check.hpp"
#include "wire/codec.hpp"
#include "wire/frame.hpp"
#include "wire_messages.hpp"

#include <random>
#include <set>

namespace {

using namespace demail;
using namespace demail::wire;

std::string payload_of(const Secret &frame) {
    return std::string(frame.view().substr(4));
}

std::string request_payload(const Request &request) {
    return payload_of(request_frame(9, request));
}

std::string reply_payload(const Reply &reply) {
    return payload_of(reply_frame(reply));
}

void every_request_survives_the_way() {
    std::set<std::size_t> kinds;
    for (const Request &request : test::sample_requests()) {
        const std::string bytes = request_payload(request);
        const auto parsed = parse_request(bytes);
        CHECK(parsed.has_value());
        CHECK_EQUAL(parsed->id, 9U);
        CHECK_EQUAL(parsed->request.index(), request.index());
        CHECK_EQUAL(request_payload(parsed->request), bytes);
        kinds.insert(request.index());
    }
    CHECK_EQUAL(kinds.size(), std::variant_size_v<Request>);
}

void every_reply_survives_the_way() {
    std::set<std::size_t> kinds;
    for (const Reply &reply : test::sample_replies()) {
        const std::string bytes = reply_payload(reply);
        const auto parsed = parse_reply(bytes);
        CHECK(parsed.has_value());
        CHECK_EQUAL(parsed->id, reply.id);
        CHECK_EQUAL(parsed->rv, reply.rv);
        CHECK_EQUAL(parsed->sentence, reply.sentence);
        CHECK_EQUAL(reply_payload(*parsed), bytes);
        kinds.insert(reply.body.index());
    }
    CHECK_EQUAL(kinds.size(), std::variant_size_v<ReplyBody>);
}

void fields_come_out_where_they_went_in() {
    const auto sign = parse_request(request_payload(
        Sign{"89490173", "id", PssSignature{Hash::sha256, Hash::sha384, 32}, "digest", 5000}));
    const auto &parsed = std::get<Sign>(sign->request);
    CHECK_EQUAL(parsed.serial, "89490173");
    CHECK_EQUAL(parsed.key, "id");
    CHECK_EQUAL(parsed.input, "digest");
    CHECK_EQUAL(parsed.deadline_ms, 5000U);
    CHECK((std::get<PssSignature>(parsed.scheme) == PssSignature{Hash::sha256, Hash::sha384, 32}));

    const auto login = parse_request(request_payload(Login{"8", Secret::copy_of("123456")}));
    CHECK_EQUAL(std::get<Login>(login->request).pin->view(), "123456");
}

void a_message_cut_anywhere_is_refused() {
    for (const Request &request : test::sample_requests()) {
        const std::string bytes = request_payload(request);
        for (std::size_t size = 0; size < bytes.size(); ++size)
            CHECK(!parse_request(bytes.substr(0, size)));
    }
    for (const Reply &reply : test::sample_replies()) {
        const std::string bytes = reply_payload(reply);
        for (std::size_t size = 0; size < bytes.size(); ++size)
            CHECK(!parse_reply(bytes.substr(0, size)));
    }
}

void bytes_behind_a_message_are_refused() {
    for (const Request &request : test::sample_requests())
        CHECK(!parse_request(request_payload(request) + '\0'));
    for (const Reply &reply : test::sample_replies())
        CHECK(!parse_reply(reply_payload(reply) + '\0'));
}

void an_unknown_kind_is_refused() {
    std::string bytes = request_payload(Status{});
    CHECK_EQUAL(bytes.size(), 6U);
    bytes[5] = static_cast<char>(std::variant_size_v<Request>);
    CHECK(!parse_request(bytes));
    bytes[5] = '\xff';
    bytes[4] = '\xff';
    CHECK(!parse_request(bytes));
}

void a_flag_that_is_neither_yes_nor_no_is_refused() {
    std::string bytes = request_payload(Login{"8", std::nullopt});
    bytes.back() = 2;
    CHECK(!parse_request(bytes));
}

void an_unknown_hash_is_refused() {
    const std::string good = request_payload(Sign{"8", "i", Pkcs1Signature{Hash::sha256}, "", 0});
    const std::size_t at = good.find('\x02', 18);
    for (const char hash : {'\x00', '\x05', '\xff'}) {
        std::string bytes = good;
        bytes[at] = hash;
        CHECK(!parse_request(bytes));
    }
    CHECK(parse_request(good).has_value());
}

void a_waiting_time_beyond_a_minute_is_refused() {
    std::string bytes = request_payload(WaitForChange{1, 60000});
    CHECK(parse_request(bytes).has_value());
    ++bytes.back();
    CHECK(!parse_request(bytes));
    CHECK_THROWS(request_frame(1, WaitForChange{1, 60001}), std::length_error);
}

void nothing_beyond_its_limit_is_written() {
    CHECK_THROWS(request_frame(1, ListObjects{std::string(65, '8')}), std::length_error);
    CHECK_THROWS(request_frame(1, Login{"8", Secret::copy_of(std::string(65, '1'))}),
                 std::length_error);
    CHECK_THROWS(request_frame(1, Sign{"8", "i", Pkcs1Signature{}, std::string(1025, 'x'), 0}),
                 std::length_error);
    ObjectList large{1, {}, {}};
    large.certificates.resize(9, {"l", "i", std::string(limit::certificate, '\x30')});
    CHECK_THROWS(reply_frame({1, rv_ok, "", std::move(large)}), std::length_error);
}

void nothing_beyond_its_limit_is_read() {
    std::string bytes = request_payload(ListObjects{std::string(limit::name, '8')});
    CHECK(parse_request(bytes).has_value());
    ++bytes[9]; // the length's last byte
    CHECK(!parse_request(bytes + '8'));
}

void a_length_that_promises_too_much_is_refused() {
    std::string bytes = request_payload(ListObjects{"8949"});
    for (const char size : {'\x05', '\x7f', '\xff'}) {
        bytes[9] = size;
        CHECK(!parse_request(bytes));
    }
    bytes[6] = '\xff';
    CHECK(!parse_request(bytes));
}

void names_that_are_no_text_are_refused() {
    for (const char *bad :
         {"\n", "\x1b[2J", "\x7f", "\xc3", "\xc0\xaf", "\xe0\x80\xaf", "\xf0\x80\x80\xaf",
          "\xed\xa0\x80", "\xc2\x9b", "\xf5\x80\x80\x80", "\xf4\x90\x80\x80", "\x80"}) {
        std::string bytes = request_payload(ListObjects{std::string(std::strlen(bad), 'x')});
        bytes.replace(bytes.size() - std::strlen(bad), std::string::npos, bad);
        CHECK(!parse_request(bytes));
    }
    CHECK(parse_request(request_payload(ListObjects{"Karte Nr. 1 – für Köln 😀"})).has_value());
}

void a_sentence_is_made_fit_to_be_shown() {
    const auto shown = [](const std::string &sentence) {
        return parse_reply(reply_payload({1, rv_ok, sentence, Done{}}))->sentence;
    };
    CHECK_EQUAL(shown("a\x1b[2Jb\nc\xff"), "a?[2Jb?c?");
    CHECK_EQUAL(shown(std::string(2000, 'x')).size(), limit::sentence);
    // Not cut within a character.
    CHECK_EQUAL(shown(std::string(1023, 'x') + "ö"), std::string(1023, 'x'));
}

void a_probe_keeps_its_lines() {
    const auto parsed = parse_reply(reply_payload({1, rv_ok, "", ProbeReport{"a\nb\x07\n"}}));
    CHECK_EQUAL(std::get<ProbeReport>(parsed->body).text, "a\nb?\n");
}

void only_requests_with_a_pin_or_puk_carry_a_secret() {
    std::set<std::size_t> secret;
    for (const Request &request : test::sample_requests())
        if (carries_secret(request)) secret.insert(request.index());
    CHECK((secret == std::set<std::size_t>{Request(Login{}).index(), Request(Unlock{}).index(),
                                           Request(SetPin{}).index(), Request(ChangePin{}).index(),
                                           Request(UnblockPin{}).index()}));
    CHECK(!carries_secret(Login{"8", std::nullopt}));
}

void random_bytes_never_crash_and_what_is_parsed_is_written_alike() {
    std::mt19937 random(20240229);
    const auto requests = test::sample_requests();
    int parsed_ones = 0;
    for (int round = 0; round < 6000; ++round) {
        std::string bytes = request_payload(requests[random() % requests.size()]);
        for (unsigned changes = random() % 3; changes > 0; --changes)
            bytes[random() % bytes.size()] = static_cast<char>(random());
        const auto parsed = parse_request(bytes);
        if (!parsed) continue;
        ++parsed_ones;
        CHECK_EQUAL(payload_of(request_frame(parsed->id, parsed->request)), bytes);
    }
    CHECK(parsed_ones > 500 && parsed_ones < 6000);
}

void frames_are_found_however_they_are_cut() {
    const Secret one = request_frame(1, ListTokens{}), two = request_frame(2, ListObjects{"8949"});
    const std::string both = std::string(one.view()) + std::string(two.view());
    for (std::size_t step = 1; step <= both.size(); ++step) {
        FrameReader reader(limit::request);
        std::vector<std::string> found;
        for (std::size_t at = 0; at < both.size(); at += step) {
            const std::string piece = both.substr(at, step);
            std::memcpy(reader.room().data, piece.data(), piece.size());
            reader.received(piece.size());
            while (const auto payload = reader.next())
                found.emplace_back(*payload);
        }
        CHECK_EQUAL(found.size(), 2U);
        CHECK_EQUAL(found[0], one.view().substr(4));
        CHECK_EQUAL(found[1], two.view().substr(4));
        CHECK(!reader.amid_frame());
    }
}

void a_frame_beyond_the_limit_breaks_the_connection() {
    for (const char *head : {"\x00\x00\x10\x01", "\xff\xff\xff\xff", "\x00\x00\x00\x00"}) {
        FrameReader reader(4096);
        std::memcpy(reader.room().data, head, 4);
        reader.received(4);
        CHECK(!reader.next());
        CHECK(reader.broken());
        CHECK_EQUAL(reader.room().size, 0U);
    }
}

void a_secret_is_gone_after_wiping_and_moving() {
    Secret pin = Secret::copy_of("123456");
    const char *memory = pin.view().data();
    Secret moved = std::move(pin);
    CHECK(moved.view().data() == memory);
    moved.drop_front(4);
    CHECK_EQUAL(moved.view(), "56");
    CHECK_EQUAL(std::string(memory + 2, 4), std::string(4, '\0'));
    moved.wipe();
    CHECK_EQUAL(std::string(memory, 6), std::string(6, '\0'));
    CHECK_THROWS(moved.append("1234567"), std::length_error);
}

} // namespace

int main() {
    return demail::test::run("wire codec",
                             {TEST(every_request_survives_the_way),
                              TEST(every_reply_survives_the_way),
                              TEST(fields_come_out_where_they_went_in),
                              TEST(a_message_cut_anywhere_is_refused),
                              TEST(bytes_behind_a_message_are_refused),
                              TEST(an_unknown_kind_is_refused),
                              TEST(a_flag_that_is_neither_yes_nor_no_is_refused),
                              TEST(an_unknown_hash_is_refused),
                              TEST(a_waiting_time_beyond_a_minute_is_refused),
                              TEST(nothing_beyond_its_limit_is_written),
                              TEST(nothing_beyond_its_limit_is_read),
                              TEST(a_length_that_promises_too_much_is_refused),
                              TEST(names_that_are_no_text_are_refused),
                              TEST(a_sentence_is_made_fit_to_be_shown),
                              TEST(a_probe_keeps_its_lines),
                              TEST(only_requests_with_a_pin_or_puk_carry_a_secret),
                              TEST(random_bytes_never_crash_and_what_is_parsed_is_written_alike),
                              TEST(frames_are_found_however_they_are_cut),
                              TEST(a_frame_beyond_the_limit_breaks_the_connection),
                              TEST(a_secret_is_gone_after_wiping_and_moving)});
}
