#include "programs/ctl_token_list.hpp"

#include <fmt/format.h>
#include <libp11.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <set>

namespace demail::ctl {
namespace {

std::string text(const char *words) {
    return words == nullptr ? "" : words;
}

std::string bytes(const unsigned char *id, std::size_t size) {
    return id == nullptr ? "" : std::string(reinterpret_cast<const char *>(id), size);
}

// A module that was loaded, for as long as its lists are looked at.
class Loaded {
  public:
    explicit Loaded(const std::string &path) : context_(PKCS11_CTX_new()) {
        if (context_ == nullptr) return;
        loaded_ = PKCS11_CTX_load(context_, path.c_str()) == 0;
        listed_ = loaded_ && PKCS11_enumerate_slots(context_, &slots_, &count_) == 0;
    }
    Loaded(const Loaded &) = delete;
    Loaded &operator=(const Loaded &) = delete;
    ~Loaded() {
        if (listed_) PKCS11_release_all_slots(context_, slots_, count_);
        if (loaded_) PKCS11_CTX_unload(context_);
        if (context_ != nullptr) PKCS11_CTX_free(context_);
    }
    [[nodiscard]] bool listed() const noexcept { return listed_; }
    [[nodiscard]] std::vector<PKCS11_TOKEN *> tokens() const {
        std::vector<PKCS11_TOKEN *> tokens;
        for (unsigned i = 0; i < count_; ++i)
            if (slots_[i].token != nullptr && slots_[i].token->initialized)
                tokens.push_back(slots_[i].token);
        return tokens;
    }

  private:
    PKCS11_CTX *context_;
    PKCS11_SLOT *slots_ = nullptr;
    unsigned count_ = 0;
    bool loaded_ = false, listed_ = false;
};

// The ids of the keys that can be seen. Most tokens hide private keys until a PIN is given; the
// public one beside it tells that it is there.
std::set<std::string> key_ids(PKCS11_TOKEN *token) {
    std::set<std::string> ids;
    PKCS11_KEY *keys = nullptr;
    unsigned count = 0;
    for (const auto enumerate : {PKCS11_enumerate_public_keys, PKCS11_enumerate_keys}) {
        if (enumerate(token, &keys, &count) != 0) continue;
        for (unsigned i = 0; i < count; ++i)
            ids.insert(bytes(keys[i].id, keys[i].id_len));
    }
    return ids;
}

ListedToken read_token(PKCS11_TOKEN *token) {
    ListedToken listed{text(token->label),
                       text(token->serialnr),
                       text(token->manufacturer),
                       text(token->model),
                       {},
                       {}};
    const std::set<std::string> ids = key_ids(token);
    PKCS11_CERT *certificates = nullptr;
    unsigned count = 0;
    if (PKCS11_enumerate_certs(token, &certificates, &count) != 0) return listed;
    std::vector<crypto::Suitability> all;
    for (unsigned i = 0; i < count; ++i) {
        const PKCS11_CERT &one = certificates[i];
        if (one.x509 == nullptr || X509_up_ref(one.x509) != 1) continue;
        std::string id = bytes(one.id, one.id_len);
        const auto key = ids.count(id) != 0     ? crypto::HasKey::yes
                         : token->loginRequired ? crypto::HasKey::unknown
                                                : crypto::HasKey::no;
        all.push_back(crypto::judge(one.x509, key, std::time(nullptr)));
        listed.certificates.push_back(
            {text(one.label), std::move(id), Handle<X509, X509_free>(one.x509), all.back()});
    }
    listed.choice = crypto::choose(all);
    return listed;
}

} // namespace

bool ListedToken::fits(const crypto::KeyUri &uri) const {
    const auto same = [](const std::optional<std::string> &wanted, const std::string &is) {
        return !wanted || *wanted == is;
    };
    return same(uri.token, label) && same(uri.serial, serial) &&
           same(uri.manufacturer, manufacturer) && same(uri.model, model);
}

std::optional<std::size_t> ListedToken::named_by(const crypto::KeyUri &uri) const {
    if (!uri.object && !uri.id) return choice;
    std::optional<std::size_t> best;
    for (std::size_t i = 0; i < certificates.size(); ++i) {
        const ListedCertificate &one = certificates[i];
        if (uri.id ? one.id != *uri.id : one.label != *uri.object) continue;
        const auto weight = [&](std::size_t at) {
            return std::pair(certificates[at].judged.rank, certificates[at].judged.until);
        };
        if (!best || weight(i) > weight(*best)) best = i;
    }
    return best;
}

std::variant<std::vector<ListedToken>, std::string> list_tokens(const std::string &module_path) {
    if (::access(module_path.c_str(), R_OK) != 0)
        return fmt::format("the PKCS#11 module {} is not there or cannot be read", module_path);
    const Loaded module(module_path);
    if (!module.listed())
        return fmt::format("the PKCS#11 module {} cannot be loaded or shows no slots", module_path);
    std::vector<ListedToken> tokens;
    for (PKCS11_TOKEN *token : module.tokens())
        tokens.push_back(read_token(token));
    return tokens;
}

} // namespace demail::ctl
