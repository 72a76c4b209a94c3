// The floor of the relay's bench: what a submission cannot do without. Signs once with the token's
// key, posts what demail-relay posts by libcurl (a fresh connection each, TLS sessions resumed, as
// contracts.md and the hazards of POST have it) and syncs a file twice.
//     floor-submit URL CA AUTH-KEY SIGN-KEY CONTENT-FILE SENDER RECIPIENT DIRECTORY
// On standard input "post N", "keep N" (that, with the evidence that the relay keeps, in the same
// files with the same syncs), "sign N" (the token alone) or "wait N" (the same); answers each with
// the nanoseconds that one of the N took, of CPU or, for wait, on the clock. Requests are made
// beforehand and not counted.
#include "base/handle.hpp"
#include "soap/client_key.hpp"
#include "soap/post.hpp"

#include <curl/curl.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>

namespace {

using namespace demail;

struct Request {
    std::string id; ///< digits of the private-id
    std::string type;
    std::string envelope;
    std::string body;
};

void require(bool done) {
    if (!done) throw std::runtime_error(fmt::format("a file: {}", std::strerror(errno)));
}

/// What journal/evidence.cpp does for a submission, without a thought for what is there already.
class Evidence {
  public:
    Evidence(const std::string &month, const std::string &id)
        : month_(::open(month.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
        require(month_ && ::mkdirat(month_.get(), id.c_str(), 0700) == 0);
        directory_.reset(::openat(month_.get(), id.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        lines_.reset(::openat(directory_.get(), "attempts.jsonl",
                              O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
        require(directory_ && lines_);
    }
    /// On disk before it has a name.
    void keep(const char *name, std::string_view bytes) const {
        const Fd file(::openat(directory_.get(), ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600));
        const std::string link = fmt::format("/proc/self/fd/{}", file.get());
        require(file && write(file, bytes) && ::fdatasync(file.get()) == 0 &&
                ::linkat(AT_FDCWD, link.c_str(), directory_.get(), name, AT_SYMLINK_FOLLOW) == 0);
    }
    void line() const { require(write(lines_, std::string(500, 'l'))); }
    void sync_lines() const { require(::fdatasync(lines_.get()) == 0); }
    void sync_names() const { require(::fsync(directory_.get()) == 0); }
    void sync_own_name() const { require(::fsync(month_.get()) == 0); }

  private:
    static bool write(const Fd &file, std::string_view bytes) {
        return ::write(file.get(), bytes.data(), bytes.size()) ==
               static_cast<ssize_t>(bytes.size());
    }
    Fd month_, directory_, lines_;
};

class Floor {
  public:
    explicit Floor(char **arguments)
        : url_(arguments[0]), ca_(arguments[1]), auth_(open_key(arguments[2])),
          sign_(open_key(arguments[3])), content_(read(arguments[4])),
          sender_(Address::parse(arguments[5]).value()),
          recipient_(Address::parse(arguments[6]).value()), directory_(arguments[7]),
          synced_(::open((directory_ + "/synced").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600)),
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

    long long post(int count, bool keep) {
        std::vector<Request> requests;
        for (int i = 0; i < count; ++i)
            requests.push_back(make_request());
        const long long before = nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
        for (const Request &request : requests) {
            sync(); // the journal: submitting
            sign();
            if (keep)
                post_and_keep(request);
            else
                post(request);
            sync(); // the journal: accepted
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
        return {id.substr(mark.size()), post.content_type(), envelope.text, std::move(text)};
    }

    void post_and_keep(const Request &request) {
        const Evidence evidence(directory_, request.id);
        evidence.keep("received.eml", content_);
        evidence.keep("submitted.eml", content_);
        evidence.line();
        evidence.keep("request.xml", request.envelope);
        evidence.sync_lines();
        evidence.sync_names();
        evidence.sync_own_name();
        post(request);
        evidence.keep("reply.xml", reply_);
        evidence.line();
        evidence.sync_lines();
        evidence.sync_names();
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
    std::string directory_;
    Fd synced_;
    Handle<CURL, curl_easy_cleanup> handle_;
    std::string reply_;
};

} // namespace

int main(int argc, char **argv) {
    if (argc != 9) {
        std::fputs("usage: floor-submit URL CA AUTH-KEY SIGN-KEY CONTENT-FILE SENDER RECIPIENT "
                   "DIRECTORY\n",
                   stderr);
        return 64;
    }
    try {
        curl_global_init(CURL_GLOBAL_DEFAULT);
        Floor floor(argv + 1);
        std::string verb;
        for (int count = 0; std::cin >> verb >> count;)
            std::cout << (verb == "post"   ? floor.post(count, false)
                          : verb == "keep" ? floor.post(count, true)
                          : verb == "wait" ? floor.sign(count, CLOCK_MONOTONIC)
                                           : floor.sign(count, CLOCK_PROCESS_CPUTIME_ID))
                      << std::endl;
        return 0;
    } catch (const std::exception &error) {
        std::fprintf(stderr, "floor-submit: %s\n", error.what());
        return 1;
    }
}
