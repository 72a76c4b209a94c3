#include "check.hpp"
#include "lmtp/data_decoder.hpp"

#include <string>
#include <string_view>

using demail::lmtp::DataDecoder;

namespace {

struct Decoded {
    std::string content;
    std::size_t used = 0;
    bool ended = false, bad = false;
};

Decoded decode(std::string_view input, std::size_t chunk) {
    Decoded result;
    DataDecoder decoder;
    const DataDecoder::Sink sink = [&](std::string_view span) { result.content += span; };
    while (result.used < input.size() && !decoder.ended())
        result.used += decoder.feed(input.substr(result.used, chunk), sink);
    result.ended = decoder.ended();
    result.bad = decoder.bad_bytes();
    return result;
}

/// The same outcome for every size of chunk, or a failure.
Decoded decode(std::string_view input) {
    const Decoded whole = decode(input, input.size());
    for (std::size_t chunk = 1; chunk < input.size(); ++chunk) {
        const Decoded parts = decode(input, chunk);
        CHECK_EQUAL(parts.content, whole.content);
        CHECK_EQUAL(parts.used, whole.used);
        CHECK_EQUAL(parts.ended, whole.ended);
        CHECK_EQUAL(parts.bad, whole.bad);
    }
    return whole;
}

} // namespace

static void content_ends_at_a_dot_on_its_own_line() {
    const Decoded got = decode("a: b\r\n\r\ntext\r\n.\r\nQUIT\r\n");
    CHECK_EQUAL(got.content, "a: b\r\n\r\ntext\r\n");
    CHECK_EQUAL(got.used, 17U);
    CHECK(got.ended);
    CHECK(!got.bad);
}

static void an_empty_message_ends_at_once() {
    const Decoded got = decode(".\r\n");
    CHECK_EQUAL(got.content, "");
    CHECK(got.ended && !got.bad);
}

static void dots_are_unstuffed_at_line_starts_alone() {
    const Decoded got = decode("..\r\n...a\r\nb..c.\r\n.d\r\n. \r\n.\r\n");
    CHECK_EQUAL(got.content, ".\r\n..a\r\nb..c.\r\nd\r\n \r\n");
    CHECK(got.ended && !got.bad);
}

static void every_cut_of_a_message_gives_the_same_content() {
    const std::string text = "..x\r\n" + std::string(300, 'y') + "\r\n\r\n..\r\n";
    const std::string sent = text + ".\r\nNOOP\r\n";
    for (std::size_t cut = 0; cut <= sent.size(); ++cut) {
        std::string content;
        DataDecoder decoder;
        const DataDecoder::Sink sink = [&](std::string_view span) { content += span; };
        decoder.feed(std::string_view(sent).substr(0, cut), sink);
        if (!decoder.ended()) decoder.feed(std::string_view(sent).substr(cut), sink);
        CHECK(decoder.ended() && !decoder.bad_bytes());
        CHECK_EQUAL(content, ".x\r\n" + std::string(300, 'y') + "\r\n\r\n.\r\n");
    }
}

static void smuggled_ends_do_not_end_the_data() {
    for (const std::string_view end : {"\n.\r\n", "\r.\r\n", "\n.\n", "\r\n.\n", "\r\n.\r", "\r.\r",
                                       "\r\r\n.\n", "\n\r.\r\n", "\r\n.\r\r\n", "\r\n.\r.\r\n"}) {
        const std::string sent = "a" + std::string(end) + "MAIL FROM:<x@y>\r\n";
        const Decoded got = decode(sent);
        CHECK(!got.ended);
        CHECK(got.bad);
        CHECK_EQUAL(got.used, sent.size());
        CHECK(got.content.find("MAIL FROM") != std::string::npos);
        CHECK(decode(sent + ".\r\n").ended);
    }
    using namespace std::string_view_literals;
    CHECK(!decode("a\r\n.\0\r\n"sv).ended);
    CHECK(!decode("a\r\n\0.\r\n"sv).ended);
}

static void nul_bare_cr_and_bare_lf_are_flagged() {
    using namespace std::string_view_literals;
    CHECK(decode("a\0b\r\n.\r\n"sv).bad);
    CHECK(decode("a\rb\r\n.\r\n").bad);
    CHECK(decode("a\nb\r\n.\r\n").bad);
    CHECK(decode("\n.\r\n\r\n.\r\n").bad);
    CHECK(!decode("a\r\nb\r\n.\r\n").bad);
}

static void bad_bytes_after_the_end_are_not_of_this_message() {
    using namespace std::string_view_literals;
    CHECK(!decode("a\r\n.\r\nNOOP\n\0\r"sv).bad);
}

static void content_is_passed_on_uncopied_and_in_long_spans() {
    std::string text;
    for (int i = 0; i < 1000; ++i)
        text += "a line of text\r\n";
    std::size_t spans = 0;
    DataDecoder decoder;
    decoder.feed(text, [&](std::string_view span) {
        ++spans;
        CHECK(span.data() == text.data());
    });
    CHECK_EQUAL(spans, 1U);
}

int main() {
    return demail::test::run("lmtp_data", {TEST(content_ends_at_a_dot_on_its_own_line),
                                           TEST(an_empty_message_ends_at_once),
                                           TEST(dots_are_unstuffed_at_line_starts_alone),
                                           TEST(every_cut_of_a_message_gives_the_same_content),
                                           TEST(smuggled_ends_do_not_end_the_data),
                                           TEST(nul_bare_cr_and_bare_lf_are_flagged),
                                           TEST(bad_bytes_after_the_end_are_not_of_this_message),
                                           TEST(content_is_passed_on_uncopied_and_in_long_spans)});
}
