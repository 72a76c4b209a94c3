#include "pkcs11_world.hpp"

#include "check.hpp"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <sstream>
#include <stdexcept>

namespace demail::test {
namespace {

#define NAMED(rv)                                                                                  \
    { rv, #rv }
const std::map<CK_RV, std::string> names{
    NAMED(CKR_OK),
    NAMED(CKR_HOST_MEMORY),
    NAMED(CKR_SLOT_ID_INVALID),
    NAMED(CKR_GENERAL_ERROR),
    NAMED(CKR_ARGUMENTS_BAD),
    NAMED(CKR_NO_EVENT),
    NAMED(CKR_CANT_LOCK),
    NAMED(CKR_ACTION_PROHIBITED),
    NAMED(CKR_ATTRIBUTE_READ_ONLY),
    NAMED(CKR_ATTRIBUTE_SENSITIVE),
    NAMED(CKR_ATTRIBUTE_TYPE_INVALID),
    NAMED(CKR_DATA_LEN_RANGE),
    NAMED(CKR_DEVICE_ERROR),
    NAMED(CKR_DEVICE_REMOVED),
    NAMED(CKR_ENCRYPTED_DATA_INVALID),
    NAMED(CKR_ENCRYPTED_DATA_LEN_RANGE),
    NAMED(CKR_FUNCTION_CANCELED),
    NAMED(CKR_FUNCTION_NOT_PARALLEL),
    NAMED(CKR_FUNCTION_NOT_SUPPORTED),
    NAMED(CKR_FUNCTION_REJECTED),
    NAMED(CKR_KEY_HANDLE_INVALID),
    NAMED(CKR_KEY_TYPE_INCONSISTENT),
    NAMED(CKR_KEY_FUNCTION_NOT_PERMITTED),
    NAMED(CKR_KEY_INDIGESTIBLE),
    NAMED(CKR_KEY_SIZE_RANGE),
    NAMED(CKR_MECHANISM_INVALID),
    NAMED(CKR_MECHANISM_PARAM_INVALID),
    NAMED(CKR_OBJECT_HANDLE_INVALID),
    NAMED(CKR_OPERATION_ACTIVE),
    NAMED(CKR_OPERATION_NOT_INITIALIZED),
    NAMED(CKR_PIN_INCORRECT),
    NAMED(CKR_PIN_LEN_RANGE),
    NAMED(CKR_PIN_LOCKED),
    NAMED(CKR_RANDOM_NO_RNG),
    NAMED(CKR_SESSION_COUNT),
    NAMED(CKR_SESSION_HANDLE_INVALID),
    NAMED(CKR_SESSION_PARALLEL_NOT_SUPPORTED),
    NAMED(CKR_SESSION_READ_ONLY),
    NAMED(CKR_SESSION_READ_ONLY_EXISTS),
    NAMED(CKR_SIGNATURE_INVALID),
    NAMED(CKR_SIGNATURE_LEN_RANGE),
    NAMED(CKR_TEMPLATE_INCOMPLETE),
    NAMED(CKR_TOKEN_NOT_PRESENT),
    NAMED(CKR_TOKEN_WRITE_PROTECTED),
    NAMED(CKR_USER_ALREADY_LOGGED_IN),
    NAMED(CKR_USER_ANOTHER_ALREADY_LOGGED_IN),
    NAMED(CKR_USER_NOT_LOGGED_IN),
    NAMED(CKR_USER_TYPE_INVALID),
    NAMED(CKR_BUFFER_TOO_SMALL),
    NAMED(CKR_CRYPTOKI_NOT_INITIALIZED),
    NAMED(CKR_CRYPTOKI_ALREADY_INITIALIZED),
};
#undef NAMED

} // namespace

std::string rv_name(CK_RV rv) {
    const auto found = names.find(rv);
    if (found != names.end()) return found->second;
    std::ostringstream number;
    number << "0x" << std::hex << rv;
    return number.str();
}

const std::string &module_file() {
    static const std::string file = [] {
        const char *build = std::getenv("BUILDDIR");
        const auto path = std::filesystem::absolute(build == nullptr ? "." : build) /
                          ".libs/demail-tcos-pkcs11.so";
        if (!std::filesystem::exists(path))
            throw std::runtime_error(path.string() + " is not there; set BUILDDIR");
        return path.string();
    }();
    return file;
}

CK_FUNCTION_LIST *module_functions() {
    static CK_FUNCTION_LIST *const functions = [] {
        void *library = ::dlopen(module_file().c_str(), RTLD_NOW | RTLD_LOCAL);
        if (library == nullptr) throw std::runtime_error(::dlerror());
        const auto get =
            reinterpret_cast<CK_C_GetFunctionList>(::dlsym(library, "C_GetFunctionList"));
        CK_FUNCTION_LIST *list = nullptr;
        if (get == nullptr || get(&list) != CKR_OK)
            throw std::runtime_error("the module gives no functions");
        return list;
    }();
    return functions;
}

Pkcs11World::Pkcs11World()
    : daemon_(directory_.file("socket"), [this](const wire::Request &one) { return card(one); }) {
    ::setenv("DEMAIL_CARDD_SOCKET", daemon_.path().c_str(), 1);
    CHECK_OK(p11->C_Initialize(nullptr));
}

Pkcs11World::~Pkcs11World() {
    p11->C_Finalize(nullptr);
}

CK_SESSION_HANDLE Pkcs11World::open(CK_FLAGS flags) const {
    CK_SESSION_HANDLE session = 0;
    CHECK_OK(p11->C_OpenSession(slot, flags, nullptr, nullptr, &session));
    return session;
}

CK_SESSION_HANDLE Pkcs11World::open_logged_in() {
    card.change([](wire::Token &token) { token.pin.held = true; });
    const CK_SESSION_HANDLE session = open();
    CHECK_OK(p11->C_Login(session, CKU_USER, nullptr, 0));
    return session;
}

std::vector<CK_OBJECT_HANDLE> Pkcs11World::objects(CK_SESSION_HANDLE session,
                                                   std::vector<CK_ATTRIBUTE> pattern) const {
    CHECK_OK(p11->C_FindObjectsInit(session, pattern.data(), pattern.size()));
    std::vector<CK_OBJECT_HANDLE> found(100);
    CK_ULONG count = 0;
    CHECK_OK(p11->C_FindObjects(session, found.data(), found.size(), &count));
    CHECK_OK(p11->C_FindObjectsFinal(session));
    found.resize(count);
    return found;
}

CK_OBJECT_HANDLE Pkcs11World::object(CK_SESSION_HANDLE session, CK_OBJECT_CLASS type,
                                     const std::string &label) const {
    std::string name = label;
    const auto found =
        objects(session, {{CKA_CLASS, &type, sizeof type}, {CKA_LABEL, name.data(), name.size()}});
    CHECK_EQUAL(found.size(), 1U);
    return found.front();
}

std::string Pkcs11World::attribute(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                                   CK_ATTRIBUTE_TYPE type) const {
    CK_ATTRIBUTE wanted{type, nullptr, 0};
    CHECK_OK(p11->C_GetAttributeValue(session, object, &wanted, 1));
    std::string value(wanted.ulValueLen, '\0');
    wanted.pValue = value.data();
    CHECK_OK(p11->C_GetAttributeValue(session, object, &wanted, 1));
    return value;
}

CK_TOKEN_INFO Pkcs11World::token() const {
    CK_TOKEN_INFO info{};
    CHECK_OK(p11->C_GetTokenInfo(slot, &info));
    return info;
}

std::string Pkcs11World::sign(CK_SESSION_HANDLE session, CK_MECHANISM mechanism,
                              CK_OBJECT_HANDLE key, std::string data) const {
    if (const CK_RV rv = p11->C_SignInit(session, &mechanism, key); rv != CKR_OK)
        return rv_name(rv);
    std::string signature(512, '\0');
    CK_ULONG size = signature.size();
    if (const CK_RV rv =
            p11->C_Sign(session, bytes_of(data), data.size(), bytes_of(signature), &size);
        rv != CKR_OK)
        return rv_name(rv);
    signature.resize(size);
    return signature;
}

} // namespace demail::test
