// A CA file with one certificate, gone with the object.
#pragma once

#include "base/handle.hpp"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace demail::test {

class CaFile {
  public:
    explicit CaFile(X509 *certificate) {
        const Fd file(::mkstemp(name_.data()));
        const Handle<BIO, BIO_free_all> out(BIO_new_file(name_.c_str(), "w"));
        PEM_write_bio_X509(out.get(), certificate);
    }
    CaFile(const CaFile &) = delete;
    CaFile &operator=(const CaFile &) = delete;
    ~CaFile() { ::unlink(name_.c_str()); }
    [[nodiscard]] const std::string &name() const { return name_; }

  private:
    std::string name_ = "/tmp/demail-ca-XXXXXX";
};

} // namespace demail::test
