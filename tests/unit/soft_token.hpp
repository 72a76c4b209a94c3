// SoftHSM tokens of a test's own, below a temporary directory. Everything is put on them by the
// command-line tools before this process loads the module: SoftHSM looks for tokens only then.
#pragma once

#include "certificates.hpp"
#include "temporary_directory.hpp"

#include <string>

namespace demail::test {

class SoftTokens {
  public:
    /// Points SOFTHSM2_CONF at an empty directory.
    SoftTokens();

    void add_token(const std::string &label, const std::string &pin);
    void add_key(const std::string &token, const std::string &pin, const std::string &label,
                 const std::string &id, EVP_PKEY *key);
    void add_certificate(const std::string &token, const std::string &pin, const std::string &label,
                         const std::string &id, X509 *certificate);
    /// A file below the directory with mode 0600; its path.
    std::string write_file(const std::string &name, const std::string &text, int mode = 0600);

    /// libsofthsm2.so.
    [[nodiscard]] static std::string module_path();
    [[nodiscard]] const std::string &directory() const { return directory_.path(); }

  private:
    TemporaryDirectory directory_;
};

} // namespace demail::test
