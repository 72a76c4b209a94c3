#include "control.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace demail::shim {
namespace {

struct Name {
    CK_RV result;
    const char *text;
};
#define NAME(result)                                                                               \
    { result, #result }
constexpr Name names[] = {NAME(CKR_OK),
                          NAME(CKR_CANCEL),
                          NAME(CKR_HOST_MEMORY),
                          NAME(CKR_SLOT_ID_INVALID),
                          NAME(CKR_GENERAL_ERROR),
                          NAME(CKR_FUNCTION_FAILED),
                          NAME(CKR_ARGUMENTS_BAD),
                          NAME(CKR_ATTRIBUTE_SENSITIVE),
                          NAME(CKR_ATTRIBUTE_TYPE_INVALID),
                          NAME(CKR_DATA_INVALID),
                          NAME(CKR_DATA_LEN_RANGE),
                          NAME(CKR_DEVICE_ERROR),
                          NAME(CKR_DEVICE_MEMORY),
                          NAME(CKR_DEVICE_REMOVED),
                          NAME(CKR_FUNCTION_CANCELED),
                          NAME(CKR_FUNCTION_NOT_SUPPORTED),
                          NAME(CKR_KEY_HANDLE_INVALID),
                          NAME(CKR_KEY_TYPE_INCONSISTENT),
                          NAME(CKR_KEY_FUNCTION_NOT_PERMITTED),
                          NAME(CKR_MECHANISM_INVALID),
                          NAME(CKR_MECHANISM_PARAM_INVALID),
                          NAME(CKR_OBJECT_HANDLE_INVALID),
                          NAME(CKR_OPERATION_ACTIVE),
                          NAME(CKR_OPERATION_NOT_INITIALIZED),
                          NAME(CKR_PIN_INCORRECT),
                          NAME(CKR_PIN_INVALID),
                          NAME(CKR_PIN_LEN_RANGE),
                          NAME(CKR_PIN_EXPIRED),
                          NAME(CKR_PIN_LOCKED),
                          NAME(CKR_SESSION_CLOSED),
                          NAME(CKR_SESSION_COUNT),
                          NAME(CKR_SESSION_HANDLE_INVALID),
                          NAME(CKR_TOKEN_NOT_PRESENT),
                          NAME(CKR_TOKEN_NOT_RECOGNIZED),
                          NAME(CKR_USER_ALREADY_LOGGED_IN),
                          NAME(CKR_USER_NOT_LOGGED_IN),
                          NAME(CKR_USER_PIN_NOT_INITIALIZED),
                          NAME(CKR_USER_TYPE_INVALID),
                          NAME(CKR_USER_ANOTHER_ALREADY_LOGGED_IN),
                          NAME(CKR_USER_TOO_MANY_TYPES),
                          NAME(CKR_BUFFER_TOO_SMALL),
                          NAME(CKR_CRYPTOKI_NOT_INITIALIZED),
                          NAME(CKR_CRYPTOKI_ALREADY_INITIALIZED),
                          NAME(CKR_MUTEX_BAD),
                          NAME(CKR_FUNCTION_REJECTED)};
#undef NAME

CK_RV result_of(const std::string &text) {
    for (const Name &name : names)
        if (text == name.text) return name.result;
    char *end = nullptr;
    const CK_RV number = std::strtoul(text.c_str(), &end, 0);
    if (end != text.c_str() && *end == '\0') return number;
    std::fprintf(stderr, "pkcs11-shim: \"%s\" is no CKR_ name\n", text.c_str());
    std::abort();
}

void read_line(Control &control, const std::string &line) {
    std::istringstream words(line);
    std::string verb, word;
    words >> verb;
    long number = 0;
    if (verb.empty() || verb[0] == '#') return;
    if (verb == "return") {
        Return one;
        unsigned times = 0;
        words >> one.function >> word;
        one.result = result_of(word);
        if (words >> times) one.times = times;
        one.line = line;
        control.returns.push_back(one);
    } else if (verb == "delay" && words >> number) {
        control.delay = std::chrono::milliseconds(number);
    } else if (verb == "hang" && words >> number) {
        control.hang = std::chrono::seconds(number);
        if (words >> word) control.hanging = word;
    } else if ((verb == "hide" || verb == "refuse") && words >> word) {
        (verb == "hide" ? control.hidden : control.refused)
            .push_back(std::strtoul(word.c_str(), nullptr, 0));
    } else if (verb == "pulled") {
        control.pulled = true;
    } else if (verb == "card") {
        words >> control.card;
    } else if (verb == "serial") {
        words >> control.serial;
    } else if (verb == "flags" && words >> word) {
        control.more_flags = std::strtoul(word.c_str(), nullptr, 0);
        if (words >> word) control.fewer_flags = std::strtoul(word.c_str(), nullptr, 0);
    } else if (verb == "stain") {
        control.stain = true;
    } else {
        std::fprintf(stderr, "pkcs11-shim: no such line: %s\n", line.c_str());
        std::abort();
    }
}

} // namespace

std::string text_of(CK_RV result) {
    for (const Name &name : names)
        if (name.result == result) return name.text;
    char number[32];
    std::snprintf(number, sizeof number, "0x%08lx", result);
    return number;
}

Control read_control() {
    Control control;
    const char *path = std::getenv("DEMAIL_SHIM_CONTROL");
    if (path == nullptr) return control;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        control.text += line + "\n";
        read_line(control, line);
    }
    return control;
}

} // namespace demail::shim
