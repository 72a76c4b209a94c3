#include "admin/configuration.hpp"
#include "base/handle.hpp"
#include "check.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

using demail::Configuration;

namespace {

/// A directory with one good file of each kind, removed at the end.
struct Files {
    std::string path = "files-test-XXXXXX";
    Configuration configuration;

    Files() {
        if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("mkdtemp");
        path = std::filesystem::absolute(path);
        configuration.seal_key_file = write("seal.key", "k1 " + std::string(64, 'a') + "\n", 0640);
        demail::ProviderConfiguration provider;
        provider.ca_file = write("ca.pem", certificate(), 0644);
        provider.reply_signer = {write("signer.pem", certificate(), 0644),
                                 "sha256:" + std::string(64, 'a')};
        provider.auth_key = "pkcs11:object=a?pin-source=file:" + write("pin", "1234\n", 0600);
        provider.sign_key = provider.auth_key;
        configuration.providers.push_back(provider);
    }
    ~Files() { std::filesystem::remove_all(path); }

    std::string write(const std::string &name, const std::string &text, mode_t mode) const {
        const std::string file = path + "/" + name;
        std::ofstream(file) << text;
        ::chmod(file.c_str(), mode);
        return file;
    }

    [[nodiscard]] std::string faults(bool for_relay = true) const {
        std::string all;
        for (const auto &one : check_files(configuration, "f", for_relay))
            all += one.str() + "\n";
        return all;
    }

    /// A self-signed certificate in PEM form.
    static std::string certificate() {
        const demail::Handle<EVP_PKEY, EVP_PKEY_free> key(EVP_EC_gen("P-256"));
        const demail::Handle<X509, X509_free> made(X509_new());
        X509_gmtime_adj(X509_getm_notBefore(made.get()), 0);
        X509_gmtime_adj(X509_getm_notAfter(made.get()), 3600);
        X509_set_pubkey(made.get(), key.get());
        X509_sign(made.get(), key.get(), EVP_sha256());
        const demail::Handle<BIO, BIO_free_all> bio(BIO_new(BIO_s_mem()));
        PEM_write_bio_X509(bio.get(), made.get());
        char *text = nullptr;
        const long size = BIO_get_mem_data(bio.get(), &text);
        return {text, static_cast<std::size_t>(size)};
    }
};

bool contains(const std::string &text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

} // namespace

static void good_files_have_no_faults() {
    CHECK_EQUAL(Files().faults(), "");
}

static void a_seal_key_that_others_read_is_refused_with_the_remedy() {
    const Files files;
    const std::string key = files.configuration.seal_key_file;
    ::chmod(key.c_str(), 0644);
    CHECK_EQUAL(files.faults(),
                "f: seal key file " + key +
                    " has mode 0644, which lets others read or run; run chmod 0640 " + key + ".\n");
}

static void a_seal_key_that_the_group_writes_is_refused() {
    const Files files;
    ::chmod(files.configuration.seal_key_file.c_str(), 0660);
    CHECK(contains(files.faults(), "which lets others write"));
}

static void a_seal_key_file_without_keys_is_refused() {
    const Files files;
    files.write("seal.key", "k1 short\n", 0640);
    CHECK(contains(files.faults(), "f: seal key file " + files.path + "/seal.key: "));
}

static void a_missing_file_is_named() {
    Files files;
    files.configuration.seal_key_file = "/nonexistent/seal.key";
    CHECK_EQUAL(files.faults(),
                "f: seal key file /nonexistent/seal.key cannot be read: No such file or "
                "directory.\n");
}

static void a_pin_that_others_read_is_refused_once() {
    const Files files;
    files.write("pin", "1234\n", 0604);
    CHECK_EQUAL(files.faults(), "f: PIN file " + files.path +
                                    "/pin has mode 0604, which lets others read or run; run chmod "
                                    "0640 " +
                                    files.path + "/pin.\n");
}

static void the_journals_password_file_is_the_relays_alone() {
    Files files;
    const std::string place = files.write("journal pass", "*:*:*:demail:secret\n", 0640);
    std::string quoted = place;
    quoted.replace(quoted.find(' '), 1, "%20");
    files.configuration.journal =
        "postgresql://demail@db/demail?sslmode=verify-full&passfile=" + quoted;
    CHECK(contains(files.faults(), "password file " + place + " has mode 0640"));
    CHECK(!contains(files.faults(), "secret"));
    CHECK_EQUAL(files.faults(false), "");
    ::chmod(place.c_str(), 0600);
    CHECK_EQUAL(files.faults(), "");
    files.configuration.journal += ".none";
    CHECK(contains(files.faults(), ".none cannot be read"));
}

static void a_ca_file_holds_certificates() {
    const Files files;
    files.write("ca.pem", "nothing here\n", 0644);
    CHECK(contains(files.faults(), "CA file " + files.path + "/ca.pem does not hold certificates"));
    const std::string good = Files::certificate();
    files.write("ca.pem", good + good, 0644);
    CHECK_EQUAL(files.faults(), "");
    files.write("ca.pem", good + "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n",
                0644);
    CHECK(contains(files.faults(), "does not hold certificates"));
}

static void a_signer_that_others_write_is_refused() {
    const Files files;
    ::chmod((files.path + "/signer.pem").c_str(), 0666);
    CHECK(contains(files.faults(), "reply signer " + files.path + "/signer.pem has mode 0666"));
}

static void the_milter_does_not_ask_for_the_relays_files() {
    const Files files;
    std::filesystem::remove(files.path + "/ca.pem");
    CHECK_EQUAL(files.faults(false), "");
    CHECK(contains(files.faults(true), "CA file"));
}

int main() {
    return demail::test::run(
        "configuration_files",
        {TEST(good_files_have_no_faults),
         TEST(a_seal_key_that_others_read_is_refused_with_the_remedy),
         TEST(a_seal_key_that_the_group_writes_is_refused),
         TEST(a_seal_key_file_without_keys_is_refused), TEST(a_missing_file_is_named),
         TEST(a_pin_that_others_read_is_refused_once),
         TEST(the_journals_password_file_is_the_relays_alone), TEST(a_ca_file_holds_certificates),
         TEST(a_signer_that_others_write_is_refused),
         TEST(the_milter_does_not_ask_for_the_relays_files)});
}
