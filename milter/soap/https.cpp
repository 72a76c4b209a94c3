#include "soap/https.hpp"

#include "base/handle.hpp"
#include "base/log.hpp"
#include "soap/client_key.hpp"
#include "soap/curl_option.hpp"
#include "soap/handshake.hpp"

#include <curl/curl.h>
#include <fmt/format.h>
#include <openssl/err.h>

#include <array>
#include <mutex>
#include <stdexcept>
#include <vector>

namespace demail::soap {

namespace {

// One libcurl handle with the connections it keeps, and what its callbacks have seen of the present
// request. Outlives its connections, whose TLS contexts point to it.
struct Line {
    const crypto::TokenKey *key = nullptr;
    const crypto::TlsLimits *limits = nullptr;
    std::uint64_t cap = 0;

    Post *post = nullptr;
    const std::function<void()> *before = nullptr;
    bool once = false;
    bool began = false; // the connection stands and the request is about to go out
    bool over_cap = false;
    std::string key_fault; // why our own OpenSSL refuses it
    std::string fault;     // why the request was not begun, or its body not be read
    std::string body;
    ContentFile content;
    std::optional<Multipart> parts;
    std::array<char, CURL_ERROR_SIZE> error{};
    Handshake handshake;

    // Gone before all else: to close a connection is to send an alert, which is noted.
    Handle<CURL, curl_easy_cleanup> handle{curl_easy_init()};
};

std::size_t read_body(char *out, std::size_t size, std::size_t count, void *line) noexcept {
    auto &self = *static_cast<Line *>(line);
    try {
        return self.post->read(out, size * count);
    } catch (const std::exception &error) {
        self.fault = error.what();
        return CURL_READFUNC_ABORT;
    }
}

// A submission is never sent again: what libcurl asks here would be a second time.
int seek_body(void *line, curl_off_t offset, int origin) noexcept {
    auto &self = *static_cast<Line *>(line);
    if (self.once || offset != 0 || origin != SEEK_SET) return CURL_SEEKFUNC_FAIL;
    self.post->rewind();
    return CURL_SEEKFUNC_OK;
}

// The reply's header has been read.
void expect_parts(Line &line) {
    const char *type = nullptr; // libcurl's own
    curl_easy_getinfo(line.handle.get(), CURLINFO_CONTENT_TYPE, &type);
    auto multipart = type != nullptr ? multipart_type(type) : std::nullopt;
    if (multipart)
        line.parts.emplace(std::move(*multipart), line.content.file,
                           Multipart::Limits{line.cap, line.content.bytes});
}

std::size_t write_reply(const char *bytes, std::size_t size, std::size_t count,
                        void *line) noexcept {
    auto &self = *static_cast<Line *>(line);
    const std::size_t length = size * count;
    try {
        if (self.content.file >= 0 && self.body.empty() && !self.parts) expect_parts(self);
        if (self.parts) return self.parts->feed({bytes, length}) ? length : 0;
        if (self.body.size() + length > self.cap) {
            self.over_cap = true;
            return 0;
        }
        self.body.append(bytes, length);
    } catch (const std::exception &) {
        return 0;
    }
    return length;
}

int before_request(void *line, char *, char *, int, int) noexcept {
    auto &self = *static_cast<Line *>(line);
    try {
        if (*self.before) (*self.before)();
    } catch (const std::exception &error) {
        self.fault = error.what();
        return CURL_PREREQFUNC_ABORT;
    }
    self.began = true;
    return CURL_PREREQFUNC_OK;
}

CURLcode prepare_tls(CURL *, void *context, void *line) noexcept {
    auto *tls = static_cast<SSL_CTX *>(context);
    auto &self = *static_cast<Line *>(line);
    try {
        self.handshake.watch(tls);
        // libcurl 7.88 turns tickets off; many servers resume TLS 1.2 sessions by nothing else.
        SSL_CTX_clear_options(tls, SSL_OP_NO_TICKET);
        auto fault = use_client_key(tls, *self.key, *self.limits);
        if (!fault) return CURLE_OK;
        self.key_fault = *std::move(fault);
    } catch (const std::exception &) {
        return CURLE_OUT_OF_MEMORY;
    }
    return CURLE_SSL_CERTPROBLEM;
}

std::string host_of(const std::string &url) {
    const Handle<CURLU, curl_url_cleanup> parsed(curl_url());
    char *host = nullptr;
    if (!parsed || curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK ||
        curl_url_get(parsed.get(), CURLUPART_HOST, &host, 0) != CURLUE_OK)
        return url;
    const Handle<char, curl_free> owned(host);
    return host;
}

void start_libcurl() {
    static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (started != CURLE_OK) throw std::runtime_error("libcurl cannot be initialised");
}

} // namespace

struct Https::Shared {
    Peer peer;
    std::string host; // of the URL
    Limits limits;
    std::shared_ptr<crypto::TokenKey> key;

    // TLS sessions of all lines, so that a fresh connection need not wake the token.
    std::mutex sessions;
    Handle<CURLSH, curl_share_cleanup> share{curl_share_init()};

    std::mutex lines;
    std::vector<std::unique_ptr<Line>> idle; // gone before `share`
    std::string agreed;                      // of the last full handshake
    bool said_pkcs1_alone = false;

    static void lock(CURL *, curl_lock_data, curl_lock_access, void *self) noexcept {
        static_cast<Shared *>(self)->sessions.lock();
    }
    static void unlock(CURL *, curl_lock_data, void *self) noexcept {
        static_cast<Shared *>(self)->sessions.unlock();
    }

    std::unique_ptr<Line> take();
    std::unique_ptr<Line> open();
    void put_back(std::unique_ptr<Line> line);
    void say_what_changed(const Line &line);
};

std::unique_ptr<Line> Https::Shared::open() {
    auto line = std::make_unique<Line>();
    CURL *handle = line->handle.get();
    if (handle == nullptr) throw std::runtime_error("libcurl has no handle to give");
    line->key = key.get();
    line->limits = &peer.tls;
    line->cap = limits.reply_bytes;
    set(handle, CURLOPT_URL, peer.url.c_str());
    set(handle, CURLOPT_PROTOCOLS_STR, "https");
    set(handle, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    set(handle, CURLOPT_FOLLOWLOCATION, 0L);
    set(handle, CURLOPT_PROXY, ""); // none, whatever the environment says
    set(handle, CURLOPT_NETRC, CURL_NETRC_IGNORED);
    set(handle, CURLOPT_NOSIGNAL, 1L);
    set(handle, CURLOPT_TCP_KEEPALIVE, 1L);
    set(handle, CURLOPT_SHARE, share.get());

    set(handle, CURLOPT_CAINFO, peer.ca_file.c_str());
    set(handle, CURLOPT_CAPATH, static_cast<const char *>(nullptr)); // else Debian's CAs too
    set(handle, CURLOPT_SSL_VERIFYPEER, 1L);
    set(handle, CURLOPT_SSL_VERIFYHOST, 2L);
    set(handle, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
    set(handle, CURLOPT_SSL_CTX_FUNCTION, prepare_tls);
    set(handle, CURLOPT_SSL_CTX_DATA, line.get());

    set(handle, CURLOPT_CONNECTTIMEOUT, static_cast<long>(limits.connect.count()));
    set(handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
    set(handle, CURLOPT_LOW_SPEED_TIME, static_cast<long>(limits.answer.count()));

    set(handle, CURLOPT_POST, 1L);
    set(handle, CURLOPT_READFUNCTION, read_body);
    set(handle, CURLOPT_READDATA, line.get());
    set(handle, CURLOPT_SEEKFUNCTION, seek_body);
    set(handle, CURLOPT_SEEKDATA, line.get());
    set(handle, CURLOPT_WRITEFUNCTION, write_reply);
    set(handle, CURLOPT_WRITEDATA, line.get());
    set(handle, CURLOPT_PREREQFUNCTION, before_request);
    set(handle, CURLOPT_PREREQDATA, line.get());
    set(handle, CURLOPT_ERRORBUFFER, line->error.data());
    return line;
}

std::unique_ptr<Line> Https::Shared::take() {
    {
        const std::lock_guard guard(lines);
        if (!idle.empty()) {
            auto line = std::move(idle.back());
            idle.pop_back();
            return line;
        }
    }
    return open();
}

void Https::Shared::put_back(std::unique_ptr<Line> line) {
    line->post = nullptr;
    const std::lock_guard guard(lines);
    idle.push_back(std::move(line));
}

void Https::Shared::say_what_changed(const Line &line) {
    const std::lock_guard guard(lines);
    if (!said_pkcs1_alone && pkcs1_alone(*key)) {
        said_pkcs1_alone = true;
        log::event(log::Level::notice, "tls",
                   {{"provider", peer.name},
                    {"text", "the token's key signs by RSA PKCS#1 v1.5 alone: TLS 1.2 with "
                             "RSA+SHA256 is used"}});
    }
    const std::string &now = line.handshake.agreed();
    if (now.empty() || now == agreed) return;
    agreed = now;
    log::event(log::Level::info, "tls", {{"provider", peer.name}, {"text", now}});
}

Https::Https(Peer peer, Limits limits, std::shared_ptr<crypto::TokenKey> auth_key) {
    start_libcurl();
    shared_ = std::make_unique<Shared>();
    if (peer.name.empty()) peer.name = peer.url;
    shared_->host = host_of(peer.url);
    shared_->peer = std::move(peer);
    shared_->limits = limits;
    shared_->key = std::move(auth_key);
    CURLSH *share = shared_->share.get();
    if (share == nullptr ||
        curl_share_setopt(share, CURLSHOPT_LOCKFUNC, Shared::lock) != CURLSHE_OK ||
        curl_share_setopt(share, CURLSHOPT_UNLOCKFUNC, Shared::unlock) != CURLSHE_OK ||
        curl_share_setopt(share, CURLSHOPT_USERDATA, shared_.get()) != CURLSHE_OK ||
        curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) != CURLSHE_OK)
        throw std::runtime_error("libcurl cannot share TLS sessions between connections");
    shared_->put_back(shared_->open()); // a libcurl that lacks an option shows it now
}

Https::~Https() = default;

namespace {

HttpAnswer explain(Line &line, CURLcode code, const std::string &url, const Handshake::Side &side) {
    const std::string reason = line.error[0] != '\0' ? line.error.data() : curl_easy_strerror(code);
    const auto tls = line.handshake.failure(side, code == CURLE_PEER_FAILED_VERIFICATION,
                                            code == CURLE_SSL_CONNECT_ERROR);
    const bool login_refused = refuses_certificate(line.handshake.alert());
    const auto fault = line.key->take_fault();
    if (!line.began) {
        if (fault) return TokenFault{fault->what()};
        if (!line.key_fault.empty()) return TokenFault{line.key_fault};
        if (!line.fault.empty()) return NotSent{line.fault};
        return NotSent{tls ? *tls : fmt::format("{} cannot be reached: {}", url, reason),
                       login_refused};
    }
    if (line.over_cap) return NoAnswer{fmt::format("The reply is longer than {} bytes.", line.cap)};
    if (line.parts && !line.parts->fault().empty())
        return NoAnswer{fmt::format("The reply does not count: {}.", line.parts->fault())};
    if (!line.fault.empty())
        return NoAnswer{fmt::format("The request was cut off: {}.", line.fault)};
    return NoAnswer{fmt::format("No reply from {}: {}", url, tls ? *tls : reason), login_refused};
}

} // namespace

HttpAnswer Https::post(Post &post, Sending sending, ContentFile content,
                       const std::function<void()> &before) {
    auto line = shared_->take();
    CURL *handle = line->handle.get();
    line->post = &post;
    line->before = &before;
    line->once = sending == Sending::once;
    line->began = line->over_cap = false;
    line->key_fault.clear();
    line->handshake.forget();
    line->fault.clear();
    line->body.clear();
    line->content = content;
    line->parts.reset();
    line->error[0] = '\0';

    curl_slist *list = nullptr;
    const std::string type = "Content-Type: " + post.content_type();
    // "Expect:" takes away libcurl's 100-continue, which costs a second where a server ignores it.
    for (const char *field :
         {type.c_str(), "Expect:", "Accept: application/soap+xml", "User-Agent: postfix-demail"}) {
        curl_slist *longer = curl_slist_append(list, field);
        if (longer == nullptr) {
            curl_slist_free_all(list);
            throw std::bad_alloc();
        }
        list = longer;
    }
    const Handle<curl_slist, curl_slist_free_all> headers(list);
    const auto upload = static_cast<long>(post.size() / (64UL * 1024));
    set(handle, CURLOPT_HTTPHEADER, headers.get());
    set(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(post.size()));
    set(handle, CURLOPT_TIMEOUT,
        static_cast<long>((shared_->limits.connect + shared_->limits.answer).count()) + upload);
    // libcurl sends a POST again by itself when a kept connection dies before any reply.
    set(handle, CURLOPT_FRESH_CONNECT, line->once ? 1L : 0L);
    set(handle, CURLOPT_FORBID_REUSE, line->once ? 1L : 0L);

    (void)line->key->take_fault(); // an older one is not this request's
    const CURLcode code = curl_easy_perform(handle);
    ERR_clear_error();
    (void)curl_easy_setopt(handle, CURLOPT_HTTPHEADER, nullptr); // they end with this function

    shared_->say_what_changed(*line);
    HttpAnswer answer;
    if (code == CURLE_OK) {
        HttpReply reply;
        const char *content_type = nullptr; // libcurl's own
        curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &reply.status);
        curl_easy_getinfo(handle, CURLINFO_CONTENT_TYPE, &content_type);
        if (content_type != nullptr) reply.content_type = content_type;
        reply.body = std::move(line->body);
        if (line->parts) {
            reply.content_type = "application/soap+xml";
            reply.body = line->parts->envelope();
            reply.content_id = line->parts->content_id();
            reply.content_bytes = line->parts->content_bytes();
        }
        if (line->parts && !line->parts->ended())
            answer = NoAnswer{"The reply does not count: its last boundary is missing."};
        else
            answer = std::move(reply);
    } else {
        answer = explain(*line, code, shared_->peer.url,
                         {shared_->peer.name, shared_->host, shared_->peer.ca_file,
                          shared_->key->certificate()});
    }
    shared_->put_back(std::move(line));
    return answer;
}

} // namespace demail::soap
