// The floor of the relay's bench: what a submission cannot do without. Signs once with the token's
// key, posts what demail-relay posts by libcurl (a fresh connection each, TLS sessions resumed, as
// contracts.md and the hazards of POST have it) and syncs a file twice.
//     floor-submit URL CA AUTH-KEY SIGN-KEY CONTENT-FILE SENDER RECIPIENT SYNC-FILE
// On standard input "post N", "sign N" (the token alone) or "wait N" (the same); answers each with
// the nanoseconds that one of the N took, of CPU or, for wait, on the clock. Requests are made
// beforehand and not counted.
#include "base/handle.hpp"
#include "soap/client_key.hpp"
#include "soap/post.hpp"

#include <curl/curl.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>

namespace {

using namespace demail;

struct Request {
    std::string type;
    std::string body;
};

class Floor {
  public:
    explicit Floor(char **arguments)
        : url_(arguments[0]), ca_(arguments[1]), auth_(open_key(arguments[2])),
          sign_(open_key(arguments[3])), content_(read(arguments[4])),
          sender_(Address::parse(arguments[5]).value()),
          recipient_(Address::parse(arguments[6]).value()),
          synced_(::open(arguments[7], O_CREAT | O_RDWR | O_CLOEXEC, 0600)),
          handle_(curl_easy_init()) {
        if (!handle_ || !synced_) throw std::runtime_error("no libcurl or no file to sync");
        CURL *curl = handle_.get();
        curl_easy_setopt(curl, CURLOPT_URL, url_.c_str());
        curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
        curl_easy_setopt(curl, CURLOPT_PROXY, "");
        curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
        curl_easy_setopt(curl, CURLOPT_CAINFO, ca_.c_str());
        curl_easy_setopt(curl, CURLOPT_CAPATH, static_cast<const char *>(nullptr));
        curl_easy_setopt(curl, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
        curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, use_key);
        curl_easy_setopt(curl, CURLOPT_SSL_CTX_DATA, auth_.get());
        curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
        curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
        curl_easy_setopt(curl, CURLOPT_WRITEDATA, &reply_);
    }

    long long post(int count) {
        std::vector<Request> requests;
        for (int i = 0; i < count; ++i)
            requests.push_back(make_request());
        const long long before = nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
        for (const Request &request : requests) {
            sign();
            post(request);
            sync();
            sync();
        }
        return (nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - before) / count;
    }

    long long sign(int count, clockid_t clock) {
        const long long before = nanoseconds(clock);
        for (int i = 0; i < count; ++i)
            sign();
        return (nanoseconds(clock) - before) / count;
    }

  private:
    static std::shared_ptr<crypto::TokenKey> open_key(const std::string &uri) {
        return crypto::TokenKey::open(std::get<crypto::KeyUri>(crypto::KeyUri::parse(uri)));
    }

    static std::string read(const std::string &path) {
        std::ifstream file(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    }

    static long long nanoseconds(clockid_t clock) {
        timespec now{};
        ::clock_gettime(clock, &now);
        return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
    }

    static CURLcode use_key(CURL *, void *context, void *key) noexcept {
        return soap::use_client_key(static_cast<SSL_CTX *>(context),
                                    *static_cast<crypto::TokenKey *>(key), {})
                   ? CURLE_SSL_CERTPROBLEM
                   : CURLE_OK;
    }

    static std::size_t keep(const char *bytes, std::size_t size, std::size_t count,
                            void *reply) noexcept {
        static_cast<std::string *>(reply)->append(bytes, size * count);
        return size * count;
    }

    /// The relay's own request with a private-id that the provider has not seen.
    Request make_request() {
        constexpr std::string_view mark = "g1-";
        constexpr std::size_t digits = 40;
        const std::string id =
            fmt::format("{}{}{}", mark, soap::random_name(), soap::random_name().substr(0, 8));
        std::string content = content_;
        content.replace(content.find("\r\nx-de-mail-private-id: " + std::string(mark)) + 24,
                        mark.size() + digits, id);
        const soap::Submission submission{
            PrivateId::parse(id).value(), sender_, {{recipient_, RecipientField::to}}, {},
            {content, -1, 0, 0},          nullptr};
        const auto body = soap::submit_request(submission).value();
        const auto envelope = std::get<soap::Envelope>(
            soap::write_envelope(body, url_, *sign_, false,
                                 std::chrono::time_point_cast<std::chrono::milliseconds>(
                                     std::chrono::system_clock::now())));
        soap::Post post(envelope, body);
        std::string text(post.size(), '\0');
        text.resize(post.read(text.data(), text.size()));
        return {post.content_type(), std::move(text)};
    }

    void sign() const {
        const Handle<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
        constexpr std::string_view text = "as long as it is signed";
        std::string value(1024, '\0');
        std::size_t size = value.size();
        if (!context ||
            EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, sign_->pkey()) != 1 ||
            EVP_DigestSign(context.get(), reinterpret_cast<unsigned char *>(value.data()), &size,
                           reinterpret_cast<const unsigned char *>(text.data()), text.size()) != 1)
            throw std::runtime_error("the token did not sign");
    }

    void post(const Request &request) {
        CURL *curl = handle_.get();
        reply_.clear();
        const std::string type = "Content-Type: " + request.type;
        Handle<curl_slist, curl_slist_free_all> fields(curl_slist_append(nullptr, type.c_str()));
        for (const char *field :
             {"Expect:", "Accept: application/soap+xml", "User-Agent: postfix-demail"})
            curl_slist_append(fields.get(), field);
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields.get());
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.data());
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                         static_cast<curl_off_t>(request.body.size()));
        const CURLcode code = curl_easy_perform(curl);
        long status = 0;
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
        if (code != CURLE_OK || status != 200)
            throw std::runtime_error(
                fmt::format("{}, status {}: {}", curl_easy_strerror(code), status, reply_));
    }

    void sync() const {
        const std::string page(4096, 's');
        if (::pwrite(synced_.get(), page.data(), page.size(), 0) < 0 ||
            ::fdatasync(synced_.get()) != 0)
            throw std::runtime_error("the file cannot be synced");
    }

    std::string url_, ca_;
    std::shared_ptr<crypto::TokenKey> auth_, sign_;
    std::string content_;
    Address sender_, recipient_;
    Fd synced_;
    Handle<CURL, curl_easy_cleanup> handle_;
    std::string reply_;
};

} // namespace

int main(int argc, char **argv) {
    if (argc != 9) {
        std::fputs("usage: floor-submit URL CA AUTH-KEY SIGN-KEY CONTENT-FILE SENDER RECIPIENT "
                   "SYNC-FILE\n",
                   stderr);
        return 64;
    }
    try {
        curl_global_init(CURL_GLOBAL_DEFAULT);
        Floor floor(argv + 1);
        std::string verb;
        for (int count = 0; std::cin >> verb >> count;)
            std::cout << (verb == "post"   ? floor.post(count)
                          : verb == "wait" ? floor.sign(count, CLOCK_MONOTONIC)
                                           : floor.sign(count, CLOCK_PROCESS_CPUTIME_ID))
                      << std::endl;
        return 0;
    } catch (const std::exception &error) {
        std::fprintf(stderr, "floor-submit: %s\n", error.what());
        return 1;
    }
}
