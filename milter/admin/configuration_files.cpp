#include "admin/configuration.hpp"
#include "admin/ended_providers_file.hpp"
#include "admin/guarded_file.hpp"
#include "base/digest.hpp"
#include "base/handle.hpp"
#include "base/log.hpp"
#include "crypto/key_uri.hpp"
#include "message/seal.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

namespace demail {
namespace {

constexpr std::size_t largest_file = 4U << 20;

/// Checks the files that one configuration names; each file once.
class FileCheck {
  public:
    explicit FileCheck(std::string configuration_file) : file_(std::move(configuration_file)) {}

    void seal_key(const std::string &path) {
        const auto text = read(path, "seal key file", 0137, "0640");
        if (!text) return;
        const auto keys = SealKeys::parse(*text);
        if (const auto *sentence = std::get_if<std::string>(&keys))
            fault(fmt::format("seal key file {}: {}", path, *sentence));
    }

    void pin(const std::string &uri) {
        if (uri.empty()) return;
        const auto parsed = crypto::KeyUri::parse(uri);
        const auto *key = std::get_if<crypto::KeyUri>(&parsed);
        if (key == nullptr || !key->pin_file || !seen_.insert(*key->pin_file).second) return;
        const auto text = read(*key->pin_file, "PIN file", 0137, "0640");
        if (text && text->find_first_not_of(" \t\r\n") == std::string::npos)
            fault(fmt::format("PIN file {} is empty.", *key->pin_file));
    }

    /// Of the directory's login.
    void password(const std::string &path) {
        if (path.empty()) return;
        const auto text = read(path, "the directory's password file", 0137, "0640");
        if (text && text->find_first_not_of("\r\n") == std::string::npos)
            fault(fmt::format("the directory's password file {} is empty.", path));
    }

    /// libpq passes over one that others may read.
    void journal_password(const std::string &journal) {
        const auto path = password_file(journal);
        if (path) read(*path, "the journal's password file", 0177, "0600");
    }

    void certificates(const std::string &path, std::string_view what) {
        if (!path.starts_with('/') || !seen_.insert(path).second) return;
        const auto text = read(path, what, 0022, "go-w");
        if (text && !holds_certificates(*text))
            fault(fmt::format("{} {} does not hold certificates in PEM form.", what, path));
    }

    std::vector<ConfigurationFault> take() { return std::move(faults_); }

  private:
    void fault(std::string sentence) { faults_.push_back({file_, 0, 0, std::move(sentence)}); }

    /// The content; a fault where it cannot be read or its mode has one of the `forbidden` bits.
    std::optional<std::string> read(const std::string &path, std::string_view what,
                                    mode_t forbidden, std::string_view chmod) {
        auto read = read_guarded_file(path, what, forbidden, chmod, largest_file);
        if (auto *file = std::get_if<GuardedFile>(&read)) return std::move(file->text);
        fault(std::move(std::get<std::string>(read)));
        return std::nullopt;
    }

    /// The parameter passfile of a libpq URI.
    static std::optional<std::string> password_file(std::string_view url) {
        if (!url.starts_with("postgresql://")) return std::nullopt;
        const std::size_t query = url.find('?');
        std::string_view rest = query == std::string_view::npos ? "" : url.substr(query + 1);
        while (!rest.empty()) {
            const std::string_view one = rest.substr(0, rest.find('&'));
            rest.remove_prefix(std::min(rest.size(), one.size() + 1));
            constexpr std::string_view name = "passfile=";
            if (!one.starts_with(name)) continue;
            std::string path;
            for (std::size_t i = name.size(); i < one.size(); ++i) {
                const auto octet = one[i] == '%' ? from_hex(one.substr(i + 1, 2)) : std::nullopt;
                path += octet && !octet->empty() ? *octet : std::string(1, one[i]);
                if (octet && !octet->empty()) i += 2;
            }
            return path;
        }
        return std::nullopt;
    }

    /// At least one certificate, and nothing after a BEGIN line that is none.
    static bool holds_certificates(const std::string &text) {
        const Handle<BIO, BIO_free_all> bio(
            BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
        if (!bio) return false;
        std::size_t count = 0;
        while (const Handle<X509, X509_free> one{
            PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)})
            ++count;
        const bool ended = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
        ERR_clear_error();
        return count > 0 && ended;
    }

    std::string file_;
    std::set<std::string> seen_;
    std::vector<ConfigurationFault> faults_;
};

} // namespace

std::vector<ConfigurationFault> check_files(const Configuration &configuration,
                                            const std::string &file, bool for_relay) {
    FileCheck check(file);
    check.seal_key(configuration.seal_key_file);
    if (for_relay) {
        check.journal_password(configuration.journal);
        for (const ProviderConfiguration &provider : configuration.providers) {
            check.certificates(provider.ca_file, "CA file");
            for (const std::string &signer : provider.reply_signer)
                check.certificates(signer, "reply signer");
            check.pin(provider.auth_key);
            check.pin(provider.sign_key);
        }
        for (const AccountConfiguration &account : configuration.accounts) {
            check.pin(account.auth_key);
            check.pin(account.sign_key);
        }
    }
    std::vector<ConfigurationFault> faults = check.take();
    for (ConfigurationFault &one : read_ended_providers(configuration).faults)
        faults.push_back(std::move(one));
    return faults;
}

std::vector<ConfigurationFault> check_directory_files(const Configuration &configuration,
                                                      const std::string &file) {
    FileCheck check(file);
    if (configuration.directory) {
        check.certificates(configuration.directory->ca_file, "CA file");
        check.password(configuration.directory->password_file);
    }
    return check.take();
}

} // namespace demail
