#include "shim_token.hpp"

#include "check.hpp"
#include "token_world.hpp"

namespace demail::test {

ShimToken::ShimToken()
    : pin_file(tokens.write_file("pin", "123456\n")),
      control_file_(tokens.directory() + "/control"), log_file_(tokens.directory() + "/calls") {
    const char *build = std::getenv("BUILDDIR");
    module_ = std::filesystem::absolute(std::string(build == nullptr ? "." : build) +
                                        "/tests/shim/pkcs11-shim.so");
    if (!std::filesystem::exists(module_))
        throw std::runtime_error(module_ + " is not there; set BUILDDIR");
    tokens.add_token("firm", "123456");
    const char *id = "01";
    for (const char *kind : {"EC", "RSA"}) {
        const Key key = make_key(std::string(kind) == "EC" ? "P-256" : kind);
        const Certificate certificate = make_certificate(key.get(), {});
        tokens.add_key("firm", "123456", kind, id, key.get());
        tokens.add_certificate("firm", "123456", kind, id, certificate.get());
        id = "02";
    }
    ::setenv("DEMAIL_SHIM_MODULE", SoftTokens::module_path().c_str(), 1);
    ::setenv("DEMAIL_SHIM_CONTROL", control_file_.c_str(), 1);
    ::setenv("DEMAIL_SHIM_LOG", log_file_.c_str(), 1);
    control("");
}

void ShimToken::control(const std::string &lines) {
    std::ofstream(control_file_ + ".part") << "# " << ++version_ << "\n" << lines;
    std::filesystem::rename(control_file_ + ".part", control_file_);
}

int ShimToken::calls(const std::string &function) const {
    std::ifstream log(log_file_);
    int count = 0;
    for (std::string line; std::getline(log, line);)
        if (line.compare(0, function.size() + 1, function + " ") == 0) ++count;
    return count;
}

void ShimToken::forget_calls() {
    std::ofstream(log_file_, std::ios::trunc);
}

crypto::KeyUri ShimToken::uri(const std::string &object) const {
    crypto::KeyUri uri;
    uri.token = "firm";
    if (!object.empty()) uri.object = object;
    uri.module_path = module_;
    uri.pin_file = pin_file;
    return uri;
}

std::string ShimToken::fresh_serial() {
    return "serial S" + std::to_string(++serials_) + "\n";
}

std::string ShimToken::another_module() {
    const std::string path = tokens.directory() + "/shim-" + std::to_string(++modules_) + ".so";
    std::filesystem::create_symlink(module_, path);
    return path;
}

ShimToken &shim_token() {
    static ShimToken token;
    return token;
}

bool signs(const crypto::TokenKey &key) {
    const std::string signature = sign_text(key.pkey(), "SHA256");
    if (signature.empty()) ERR_clear_error();
    return !signature.empty() && text_verifies(key.certificate(), signature, "SHA256");
}

crypto::TokenUnavailable refusal(const crypto::KeyUri &uri, std::chrono::milliseconds deadline) {
    try {
        (void)crypto::TokenKey::open(uri, deadline);
    } catch (const crypto::TokenUnavailable &fault) {
        return fault;
    }
    throw Failure{"the key should not have opened", __FILE__, __LINE__};
}

} // namespace demail::test
