// Replies with content, taken apart as they come; whatever is not plain MTOM is refused.
#include "base/handle.hpp"
#include "check.hpp"
#include "soap/multipart.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <string>

using namespace demail;
using namespace demail::test;

namespace {

const std::string good_type =
    R"(multipart/related; type="application/xop+xml"; start="<root@provider>"; )"
    R"(start-info="application/soap+xml"; boundary="b-1")";

struct Parts {
    std::string root_type =
        R"(Content-Type: application/xop+xml; charset=UTF-8; type="application/soap+xml")";
    std::string root_id = "<root@provider>", content_id = "<c1@provider>";
    std::string encoding = "binary";
    std::string envelope = "<e/>", content = "From: a\r\n\r\nText\r\n";
    std::string first = "", end = "--b-1--\r\n", more = "";

    [[nodiscard]] std::string text() const {
        return first + "--b-1\r\n" + root_type + "\r\nContent-Transfer-Encoding: binary\r\n" +
               "Content-ID: " + root_id + "\r\n\r\n" + envelope + "\r\n--b-1\r\n" +
               "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: " + encoding +
               "\r\nContent-ID: " + content_id + "\r\n\r\n" + content + "\r\n" + more + end;
    }
};

struct Result {
    std::string envelope, content, content_id, fault;
    bool ended = false;
};

Result read(const std::string &text, std::size_t step, soap::Multipart::Limits limits = {}) {
    const Fd file(::memfd_create("content", MFD_CLOEXEC));
    soap::Multipart parts(soap::multipart_type(good_type).value(), file.get(), limits);
    for (std::size_t at = 0; at < text.size(); at += step)
        if (!parts.feed(std::string_view(text).substr(at, step))) break;
    Result result{parts.envelope(), "", parts.content_id(), parts.fault(), parts.ended()};
    result.content.resize(parts.content_bytes());
    CHECK_EQUAL(::pread(file.get(), result.content.data(), result.content.size(), 0),
                static_cast<ssize_t>(result.content.size()));
    CHECK_EQUAL(::lseek(file.get(), 0, SEEK_END), static_cast<off_t>(result.content.size()));
    return result;
}

std::string fault_of(const Parts &parts) {
    std::string fault;
    for (const std::size_t step : {1UL, 7UL, 100000UL}) {
        const Result result = read(parts.text(), step);
        if (result.ended) return "";
        fault = result.fault.empty() ? "not ended" : result.fault;
    }
    return fault;
}

} // namespace

static void the_parts_are_told_apart_wherever_the_bytes_are_cut() {
    for (const std::string &content :
         {std::string("From: a\r\n\r\nText\r\n"), std::string(), std::string("\r\n"),
          std::string("\r\n--b-\r\n--b-2\r\n\r\n--b"), std::string("\r\r\n\n--b-1\0x", 11)}) {
        Parts parts;
        parts.content = content;
        const std::string text = parts.text() + "an epilogue";
        for (std::size_t step = 1; step <= text.size(); ++step) {
            const Result result = read(text, step);
            CHECK_EQUAL(result.fault, "");
            CHECK(result.ended);
            CHECK_EQUAL(result.envelope, "<e/>");
            CHECK(result.content == content);
            CHECK_EQUAL(result.content_id, "c1@provider");
        }
    }
}

static void a_reply_cut_off_anywhere_has_not_ended() {
    const std::string text = Parts{}.text();
    for (std::size_t length = 0; length + 2 < text.size(); ++length)
        if (read(text.substr(0, length), 5).ended != (length >= text.size() - 2))
            throw Failure{"cut at " + std::to_string(length), __FILE__, __LINE__};
}

static void what_is_not_two_parts_is_refused() {
    Parts parts;
    parts.more = "--b-1\r\nContent-ID: <x@y>\r\n\r\nmore\r\n";
    CHECK_EQUAL(fault_of(parts), "it has more than two parts");
    CHECK_EQUAL(read("--b-1\r\nContent-ID: <root@provider>\r\nContent-Type: application/xop+xml; "
                     "type=\"application/soap+xml\"\r\n\r\n<e/>\r\n--b-1--\r\n",
                     9)
                    .fault,
                "it has not two parts");
    parts = Parts{};
    parts.first = "preamble\r\n";
    CHECK_EQUAL(fault_of(parts), "it does not begin with its boundary");
    parts = Parts{};
    parts.envelope = "<e/>\r\n--b-1x";
    CHECK_EQUAL(fault_of(parts), "a line of its boundary holds something else");
}

static void content_ids_are_told_apart() {
    Parts parts;
    parts.content_id = parts.root_id;
    CHECK_EQUAL(fault_of(parts), "two of its parts have the same Content-ID");
    parts = Parts{};
    parts.root_id = "<another@provider>";
    CHECK_EQUAL(fault_of(parts), "its first part is not its start");
    for (const char *id : {"", "<>", "c1@provider", "<c1\x01@provider>"}) {
        parts = Parts{};
        parts.content_id = id;
        CHECK(!fault_of(parts).empty());
    }
    parts = Parts{};
    parts.content_id = "<c1@provider>\r\nContent-ID: <c2@provider>";
    CHECK_EQUAL(fault_of(parts), "a part's header cannot be read");
}

static void encodings_and_types_that_change_bytes_are_refused() {
    Parts parts;
    parts.encoding = "base64";
    CHECK_EQUAL(fault_of(parts), "a part is not transferred as binary");
    for (const char *type :
         {"Content-Type: text/xml", "X-Other: 1",
          "Content-Type: application/xop+xml; type=\"text/xml\"",
          "Content-Type: application/xop+xml; type=\"application/soap+xml\"; charset=utf-16"}) {
        parts = Parts{};
        parts.root_type = type;
        CHECK_EQUAL(fault_of(parts), "its first part is not application/xop+xml of SOAP");
    }
}

static void nothing_grows_over_its_limit() {
    Parts parts;
    parts.content = std::string(100, 'x');
    CHECK(read(parts.text(), 3, {10, 100}).ended);
    CHECK_EQUAL(read(parts.text(), 3, {10, 99}).fault, "its content is too long");
    CHECK_EQUAL(read(parts.text(), 3, {3, 100}).fault, "its envelope is too long");
    parts.content_id = "<" + std::string(9000, 'x') + ">";
    CHECK_EQUAL(fault_of(parts), "a part's header is too long");
    CHECK_EQUAL(read("--b-1\r\n" + std::string(100000, 'x'), 1000).fault,
                "a part's header is too long");
}

static void a_file_that_cannot_be_written_is_said() {
    const Fd file(::open("/dev/full", O_WRONLY | O_CLOEXEC));
    soap::Multipart parts(soap::multipart_type(good_type).value(), file.get(), {});
    CHECK(!parts.feed(Parts{}.text()));
    CHECK(parts.fault().starts_with("its content cannot be kept: No space"));
    CHECK(!parts.feed("more"));
}

static void only_mtom_types_are_taken() {
    CHECK(soap::multipart_type(good_type).has_value());
    CHECK(soap::multipart_type(R"(Multipart/Related;boundary=x;TYPE=application/XOP+xml;)"
                               R"(start-info="application/soap+xml")")
              .has_value() == false); // a slash is no token
    for (
        const char *type :
        {"", "application/soap+xml", "multipart/mixed; boundary=b",
         R"(multipart/related; type="application/xop+xml"; start-info="application/soap+xml")",
         R"(multipart/related; type="text/xml"; start-info="application/soap+xml"; boundary=b)",
         R"(multipart/related; type="application/xop+xml"; start-info="text/xml"; boundary=b)",
         R"(multipart/related; type="application/xop+xml"; start-info="application/soap+xml"; boundary="b )",
         R"(multipart/related; type="application/xop+xml"; start-info="application/soap+xml"; boundary="b ")",
         R"(multipart/related; type="application/xop+xml"; start-info="application/soap+xml"; boundary="b@")",
         R"(multipart/related; type="application/xop+xml"; start-info="application/soap+xml"; boundary=b; boundary=c)",
         R"(multipart/related; type="application/xop+xml"; start-info="application/soap+xml"; boundary=b; start=x)"})
        CHECK(!soap::multipart_type(type));
    CHECK(!soap::multipart_type(good_type + std::string(2000, ' ')));
    CHECK(!soap::multipart_type(
        R"(multipart/related; type="application/xop+xml"; start-info="application/soap+xml"; boundary=)" +
        std::string(71, 'b')));
}

int main() {
    return run("soap multipart",
               {TEST(the_parts_are_told_apart_wherever_the_bytes_are_cut),
                TEST(a_reply_cut_off_anywhere_has_not_ended),
                TEST(what_is_not_two_parts_is_refused), TEST(content_ids_are_told_apart),
                TEST(encodings_and_types_that_change_bytes_are_refused),
                TEST(nothing_grows_over_its_limit), TEST(a_file_that_cannot_be_written_is_said),
                TEST(only_mtom_types_are_taken)});
}
