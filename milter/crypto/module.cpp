#include "crypto/module.hpp"

#include "crypto/ck_result.hpp"
#include "crypto/token_key.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <openssl/err.h>

#include <map>
#include <mutex>

namespace demail::crypto {
namespace {

using Reason = TokenUnavailable::Reason;

// Process-wide because C_Initialize is: a second call for the same shared object fails, whoever
// makes it. Reached through a pointer that is never freed, so that no destructor runs at exit
// while another thread signs.
struct Registry {
    std::mutex mutex;
    std::map<std::string, std::shared_ptr<Module>> modules;
};

Registry &registry() {
    static auto *const all = new Registry;
    return *all;
}

CK_FUNCTION_LIST *functions_of(const std::string &path) {
    void *const library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        const char *const why = ::dlerror();
        throw TokenUnavailable(Reason::module,
                               fmt::format("the PKCS#11 module {} cannot be loaded: {}", path,
                                           why == nullptr ? "unknown" : why));
    }
    using GetFunctionList = CK_RV (*)(CK_FUNCTION_LIST **);
    const auto get = reinterpret_cast<GetFunctionList>(::dlsym(library, "C_GetFunctionList"));
    CK_FUNCTION_LIST *functions = nullptr;
    if (get == nullptr || get(&functions) != CKR_OK || functions == nullptr) {
        ::dlclose(library);
        throw TokenUnavailable(Reason::module,
                               fmt::format("{} is no PKCS#11 module (C_GetFunctionList)", path));
    }
    return functions;
}

} // namespace

Module::Module(std::string path, CK_FUNCTION_LIST *functions)
    : path_(std::move(path)), functions_(functions) {}

void Module::initialise() {
    initialise(functions_);
}

void Module::initialise(CK_FUNCTION_LIST *functions) {
    const ErrorQueueMark mark;
    CK_C_INITIALIZE_ARGS arguments{};
    arguments.flags = CKF_OS_LOCKING_OK;
    const CK_RV result = functions->C_Initialize(&arguments);
    if (result != CKR_OK && result != CKR_CRYPTOKI_ALREADY_INITIALIZED)
        throw TokenUnavailable(
            Reason::module,
            fmt::format("the PKCS#11 module {} does not start: C_Initialize gave {}", path_,
                        ck_name(result)));
}

std::shared_ptr<Module> Module::load(const std::string &path, std::chrono::milliseconds deadline) {
    std::shared_ptr<Module> module;
    {
        const std::lock_guard lock(registry().mutex);
        auto &place = registry().modules[path];
        if (!place) place = std::make_shared<Module>(path);
        module = place;
    }
    run(module, deadline, [](Module &self) {
        self.start();
        return true;
    });
    return module;
}

void Module::start() {
    if (functions_ != nullptr) return;
    CK_FUNCTION_LIST *const functions = functions_of(path_);
    initialise(functions);
    functions_ = functions;
}

TokenUnavailable Module::no_answer() const {
    return {Reason::no_answer,
            fmt::format("the PKCS#11 module {} does not answer: look after its reader, card and "
                        "driver",
                        path_)};
}

std::shared_ptr<Module> Module::adopt(const std::string &path, CK_FUNCTION_LIST *functions) {
    const std::lock_guard lock(registry().mutex);
    auto module = std::make_shared<Module>(path, functions);
    module->initialise();
    return registry().modules[path] = std::move(module);
}

ErrorQueueMark::ErrorQueueMark() noexcept {
    ERR_set_mark();
}

// ERR_pop_to_mark empties the queue when it was empty at the mark: OpenSSL 3.0 sets no mark then.
ErrorQueueMark::~ErrorQueueMark() {
    ERR_pop_to_mark();
}

} // namespace demail::crypto
