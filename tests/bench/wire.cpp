// What the wire costs beside the token, with a provider in this process that answers at once.
//     wire envelope COUNT      microseconds of CPU: an envelope with 1 KiB of content, signature
//     and
//                              all; the key's signature alone
//     wire large MIB ROUNDS    MiB/s, medians: our submission of that much; a floor that hashes and
//                              posts the same bytes
// SRCDIR names the source directory.
#include "base/digest.hpp"
#include "ca_file.hpp"
#include "soap/post.hpp"
#include "soap/reference_provider.hpp"
#include "soap_reply.hpp"
#include "tls_server.hpp"

#include <curl/curl.h>
#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <mutex>
#include <stdexcept>

namespace {

using namespace demail;
using namespace demail::test;

constexpr const char *private_id = "g1-0123456789abcdef0123456789abcdef01234567";

/// A message's file, as the relay's spool holds it, and the submission of it.
struct Letter {
    Fd file{::memfd_create("letter", MFD_CLOEXEC)};
    std::size_t size;
    soap::Submission submission{
        PrivateId::parse(private_id).value(),
        Address::parse("anna@firm.de-mail.de").value(),
        {{Address::parse("bob@other.de-mail.de").value(), RecipientField::to}},
        {},
        {},
        nullptr};

    explicit Letter(std::size_t octets) : size(octets) {
        const std::string line =
            "A line of the letter, as long as lines of letters are wont to be.\r\n";
        std::string bytes;
        while (bytes.size() < size)
            bytes += line;
        bytes.resize(size);
        for (std::size_t done = 0; done < size;) {
            const ssize_t wrote = ::write(file.get(), bytes.data() + done, size - done);
            if (wrote <= 0) throw std::runtime_error("the letter cannot be written");
            done += static_cast<std::size_t>(wrote);
        }
        submission.content = {"Subject: x\r\n\r\n", file.get(), 0, size};
    }
};

/// Reads requests in large pieces and answers each with a signed Submitted.
class Provider {
  public:
    Provider() : server_(TLS1_3_VERSION, true, [this](SSL *ssl) { serve(ssl); }) {}
    [[nodiscard]] std::string url() const { return server_.url(); }
    [[nodiscard]] X509 *certificate() const { return server_.certificate(); }
    [[nodiscard]] std::string signer() const { return fingerprint(*key_); }

  private:
    void serve(SSL *ssl) {
        std::vector<char> buffer(256UL * 1024);
        std::string head;
        std::size_t wanted = std::string::npos, read = 0;
        while (read < wanted) {
            const int got = SSL_read(ssl, buffer.data(), static_cast<int>(buffer.size()));
            if (got <= 0) return;
            read += static_cast<std::size_t>(got);
            if (head.size() < 16384) head.append(buffer.data(), static_cast<std::size_t>(got));
            const std::size_t end = head.find("\r\n\r\n");
            const std::size_t length = head.find("Content-Length: ");
            if (wanted == std::string::npos && end != std::string::npos)
                wanted = end + 4 + std::stoul(head.substr(length + 16));
        }
        Reply reply;
        reply.payload =
            fmt::format(R"(<p:Submitted xmlns:p="{}"><p:privateId>{}</p:privateId>)"
                        "<p:messageId>m1@provider.example</p:messageId>"
                        "<p:acceptedAt>2026-01-01T00:00:00Z</p:acceptedAt></p:Submitted>",
                        soap::names::provider, private_id);
        reply.action = std::string(soap::names::provider) + "/Submitted";
        const std::size_t id = head.find("urn:uuid:");
        if (id != std::string::npos) reply.relates_to = head.substr(id, 45);
        TlsServer::answer(ssl, reply.text(*key_));
        (void)SSL_read(ssl, buffer.data(), 1); // until the client closes
        SSL_shutdown(ssl);
    }

    std::shared_ptr<SoftwareKey> key_ = make_key("P-256");
    TlsServer server_;
};

std::size_t forget(const char *, std::size_t size, std::size_t count, void *) noexcept {
    return size * count;
}

CURLcode use_key(CURL *, void *context, void *key) noexcept {
    auto *tls = static_cast<SSL_CTX *>(context);
    const auto &own = *static_cast<SoftwareKey *>(key);
    SSL_CTX_clear_options(tls, SSL_OP_NO_TICKET);
    return SSL_CTX_use_certificate(tls, own.certificate()) == 1 &&
                   SSL_CTX_use_PrivateKey(tls, own.pkey()) == 1
               ? CURLE_OK
               : CURLE_SSL_CERTPROBLEM;
}

/// As libcurl reads a body, from a file.
struct Reading {
    int file;
    off_t at;
};
std::size_t read_on(char *out, std::size_t size, std::size_t count, void *reading) noexcept {
    auto &self = *static_cast<Reading *>(reading);
    const ssize_t got = ::pread(self.file, out, size * count, self.at);
    if (got < 0) return CURL_READFUNC_ABORT;
    self.at += got;
    return static_cast<std::size_t>(got);
}

/// Hashes the file's bytes once and posts them, by libcurl's own means.
class Floor {
  public:
    Floor(const Provider &provider, const CaFile &ca, SoftwareKey &key) {
        CURL *curl = handle_.get();
        curl_easy_setopt(curl, CURLOPT_URL, provider.url().c_str());
        curl_easy_setopt(curl, CURLOPT_CAINFO, ca.name().c_str());
        curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, use_key);
        curl_easy_setopt(curl, CURLOPT_SSL_CTX_DATA, &key);
        curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
        curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, forget);
        fields_.reset(curl_slist_append(nullptr, "Expect:"));
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields_.get());
    }
    void post(const Letter &letter) {
        const Handle<EVP_MD_CTX, EVP_MD_CTX_free> hash(EVP_MD_CTX_new());
        EVP_DigestInit_ex(hash.get(), EVP_sha256(), nullptr);
        Reading reading{letter.file.get(), 0};
        while (const std::size_t got = read_on(buffer_.data(), 1, buffer_.size(), &reading))
            EVP_DigestUpdate(hash.get(), buffer_.data(), got);
        reading.at = 0;
        CURL *curl = handle_.get();
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_READFUNCTION, read_on);
        curl_easy_setopt(curl, CURLOPT_READDATA, &reading);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(letter.size));
        if (const CURLcode code = curl_easy_perform(curl); code != CURLE_OK)
            throw std::runtime_error(curl_easy_strerror(code));
    }

  private:
    Handle<CURL, curl_easy_cleanup> handle_{curl_easy_init()};
    Handle<curl_slist, curl_slist_free_all> fields_;
    std::vector<char> buffer_ = std::vector<char>(48UL * 1024);
};

double microseconds(clockid_t clock) {
    timespec now{};
    ::clock_gettime(clock, &now);
    return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

double median(std::vector<double> figures) {
    std::sort(figures.begin(), figures.end());
    return figures[figures.size() / 2];
}

void envelope(int count) {
    const Letter letter(1024);
    const auto key = make_key("P-256");
    const auto write = [&] {
        const auto body = soap::submit_request(letter.submission).value();
        const auto written = std::get<soap::Envelope>(
            soap::write_envelope(body, "https://provider.example/demail", *key, false, now()));
        if (soap::Post(written, body).size() == 0) throw std::runtime_error("no request");
    };
    const auto sign = [&] {
        const Handle<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
        std::array<unsigned char, 256> value{};
        std::size_t size = value.size();
        const std::string text(700, 's'); // as long as SignedInfo, more or less
        if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key->pkey()) != 1 ||
            EVP_DigestSign(context.get(), value.data(), &size,
                           reinterpret_cast<const unsigned char *>(text.data()), text.size()) != 1)
            throw std::runtime_error("no signature");
    };
    std::vector<double> ours, token;
    for (int turn = 0; turn < count; ++turn) {
        const double start = microseconds(CLOCK_THREAD_CPUTIME_ID);
        write();
        const double middle = microseconds(CLOCK_THREAD_CPUTIME_ID);
        sign();
        ours.push_back(middle - start);
        token.push_back(microseconds(CLOCK_THREAD_CPUTIME_ID) - middle);
    }
    std::puts(fmt::format("{:.3f} {:.3f}", median(ours), median(token)).c_str());
}

void large(std::size_t mebibytes, int rounds) {
    const Letter letter(mebibytes << 20);
    const Provider provider;
    const CaFile ca(provider.certificate());
    const auto key = make_key("P-256");
    soap::Endpoint endpoint;
    endpoint.url = provider.url();
    endpoint.ca_file = ca.name();
    endpoint.reply_signer = {provider.signer()};
    endpoint.schema_directory = source_directory() + "/xsd";
    const auto connected = soap::connect_reference(endpoint, key, key);
    Floor floor(provider, ca, *key);
    std::vector<double> ours, least;
    for (int turn = -1; turn < rounds; ++turn) { // the first warms up
        const double start = microseconds(CLOCK_MONOTONIC);
        const auto answer = connected->submit(letter.submission);
        const double middle = microseconds(CLOCK_MONOTONIC);
        if (!std::holds_alternative<soap::Submitted>(answer))
            throw std::runtime_error("the provider did not accept");
        floor.post(letter);
        const double end = microseconds(CLOCK_MONOTONIC);
        if (turn < 0) continue;
        ours.push_back(static_cast<double>(mebibytes) * 1e6 / (middle - start));
        least.push_back(static_cast<double>(mebibytes) * 1e6 / (end - middle));
    }
    std::puts(fmt::format("{:.1f} {:.1f}", median(ours), median(least)).c_str());
}

} // namespace

int main(int argc, char **argv) {
    std::signal(SIGPIPE, SIG_IGN);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    const std::vector<std::string> words(argv + 1, argv + argc);
    try {
        if (words.size() == 2 && words[0] == "envelope") {
            envelope(std::stoi(words[1]));
        } else if (words.size() == 3 && words[0] == "large") {
            large(std::stoul(words[1]), std::stoi(words[2]));
        } else {
            std::fputs("usage: wire envelope COUNT | wire large MIB ROUNDS\n", stderr);
            return 64;
        }
        return 0;
    } catch (const std::exception &error) {
        std::fprintf(stderr, "wire: %s\n", error.what());
        return 1;
    }
}
