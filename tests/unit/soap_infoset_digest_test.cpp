// The streamed digest is that of the whole text with base64 in it.
#include "base/digest.hpp"
#include "check.hpp"
#include "soap/infoset_digest.hpp"

#include <fcntl.h>
#include <sys/mman.h>

#include <random>
#include <stdexcept>

using namespace demail;
using namespace demail::test;

namespace {

std::string noise(std::size_t size) {
    std::mt19937 random(4711);
    std::string bytes(size, '\0');
    for (char &byte : bytes)
        byte = static_cast<char>(random());
    return bytes;
}

std::string naive(const std::string &content) {
    return std::string(view(sha256("<a>" + base64(content) + "</a>")));
}

Fd file_of(const std::string &bytes) {
    Fd file(::memfd_create("content", MFD_CLOEXEC));
    CHECK_EQUAL(::pwrite(file.get(), bytes.data(), bytes.size(), 0),
                static_cast<ssize_t>(bytes.size()));
    return file;
}

} // namespace

static void pieces_of_any_size_make_the_same_digest() {
    const std::string bytes = noise(200'000);
    for (const std::size_t size : {0U, 1U, 2U, 3U, 4U, 49151U, 49152U, 49153U, 200'000U}) {
        const std::string content = bytes.substr(0, size);
        for (const std::size_t piece : {1U, 2U, 3U, 7U, 4096U, 49152U, 200'000U}) {
            if (piece < 3 && size > 10'000) continue;
            soap::InfosetDigest digest;
            digest.text("<a>");
            for (std::size_t at = 0; at < size; at += piece)
                digest.content(std::string_view(content).substr(at, piece));
            digest.text("</a>");
            CHECK(digest.finish() == naive(content));
        }
    }
}

static void a_header_and_a_files_region_are_one_content() {
    const std::string all = noise(1'200'002);
    // From a mebibyte on, base64 is made on another thread.
    for (const auto &[size, header] : {std::pair{150'001U, 0U},
                                       {150'001U, 1U},
                                       {150'001U, 2U},
                                       {150'001U, 3U},
                                       {150'001U, 100U},
                                       {1'200'000U, 0U},
                                       {1'200'000U, 1U},
                                       {1'200'001U, 1U},
                                       {1'200'002U, 1U},
                                       {1'200'002U, 2U},
                                       {1'200'001U, 2U}}) {
        const std::string bytes = all.substr(0, size);
        const Fd file = file_of("before" + bytes.substr(header) + "after");
        soap::InfosetDigest digest;
        digest.text("<a>");
        digest.content(std::string_view(bytes).substr(0, header));
        digest.content(file.get(), 6, bytes.size() - header);
        digest.text("</a>");
        CHECK(digest.finish() == naive(bytes));
    }
}

static void a_file_that_is_shorter_than_it_was_is_an_error() {
    const Fd file = file_of("12345");
    soap::InfosetDigest digest;
    CHECK_THROWS(digest.content(file.get(), 0, 6), std::runtime_error);
    CHECK_THROWS(digest.content(-1, 0, 1), std::runtime_error);
    const Fd large = file_of(noise(1 << 21));
    CHECK_THROWS(digest.content(large.get(), 0, (1 << 21) + 3), std::runtime_error);
    CHECK_THROWS(digest.content(large.get(), 0, 1 << 23), std::runtime_error);
}

static void other_digests_are_made_too() {
    soap::InfosetDigest digest(EVP_sha512());
    digest.text("abc");
    CHECK_EQUAL(hex(digest.finish()).substr(0, 16), "ddaf35a193617aba"); // FIPS 180-2 C.1
}

int main() {
    return run("soap infoset digest", {TEST(pieces_of_any_size_make_the_same_digest),
                                       TEST(a_header_and_a_files_region_are_one_content),
                                       TEST(a_file_that_is_shorter_than_it_was_is_an_error),
                                       TEST(other_digests_are_made_too)});
}
