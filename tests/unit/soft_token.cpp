#include "soft_token.hpp"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace demail::test {
namespace {

void run(const std::string &command) {
    if (std::system((command + " >/dev/null").c_str()) != 0)
        throw std::runtime_error("failed: " + command);
}

} // namespace

SoftTokens::SoftTokens() {
    std::filesystem::create_directory(directory() + "/tokens");
    const std::string conf = write_file("softhsm2.conf", "directories.tokendir = " + directory() +
                                                             "/tokens\nobjectstore.backend = file\n"
                                                             "log.level = ERROR\n");
    ::setenv("SOFTHSM2_CONF", conf.c_str(), 1);
}

std::string SoftTokens::module_path() {
    if (const char *given = std::getenv("SOFTHSM2_MODULE")) return given;
    for (const char *path : {"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so",
                             "/usr/lib/pkcs11/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so",
                             "/usr/local/lib/softhsm/libsofthsm2.so"})
        if (std::filesystem::exists(path)) return path;
    throw std::runtime_error("libsofthsm2.so not found: install softhsm2 or set SOFTHSM2_MODULE");
}

std::string SoftTokens::write_file(const std::string &name, const std::string &text, int mode) {
    const std::string path = directory() + "/" + name;
    std::ofstream(path) << text;
    ::chmod(path.c_str(), static_cast<mode_t>(mode));
    return path;
}

void SoftTokens::add_token(const std::string &label, const std::string &pin) {
    run("softhsm2-util --init-token --free --label " + label + " --so-pin 12345678 --pin " + pin);
}

void SoftTokens::add_key(const std::string &token, const std::string &pin, const std::string &label,
                         const std::string &id, EVP_PKEY *key) {
    const std::string path = write_file("key.pem", "");
    const std::unique_ptr<std::FILE, int (*)(std::FILE *)> file(std::fopen(path.c_str(), "w"),
                                                                std::fclose);
    if (PEM_write_PKCS8PrivateKey(file.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1)
        throw std::runtime_error("a key cannot be written");
    std::fflush(file.get());
    run("softhsm2-util --import " + path + " --token " + token + " --pin " + pin + " --label " +
        label + " --id " + id);
}

void SoftTokens::add_certificate(const std::string &token, const std::string &pin,
                                 const std::string &label, const std::string &id,
                                 X509 *certificate) {
    const std::string path = directory() + "/certificate.der";
    {
        const std::unique_ptr<std::FILE, int (*)(std::FILE *)> file(std::fopen(path.c_str(), "w"),
                                                                    std::fclose);
        if (i2d_X509_fp(file.get(), certificate) != 1)
            throw std::runtime_error("a certificate cannot be written");
    }
    run("pkcs11-tool --module " + module_path() + " --token-label " + token + " --login --pin " +
        pin + " --write-object " + path + " --type cert --label " + label + " --id " + id +
        " 2>/dev/null");
}

} // namespace demail::test
