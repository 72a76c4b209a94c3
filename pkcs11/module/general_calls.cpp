// PKCS#11 2.40 5.4: general-purpose functions.
#include "module/call_parts.hpp"
#include "module/function_list.hpp"

#include <config.h>

#include <cstdio>

using namespace demail::module;

CK_RV C_Initialize(void *arguments) {
    return contained([&] { initialise(static_cast<const CK_C_INITIALIZE_ARGS *>(arguments)); });
}

CK_RV C_Finalize(void *reserved) {
    return contained([&] {
        require(reserved == nullptr);
        finalise();
    });
}

CK_RV C_GetInfo(CK_INFO *info) {
    return enter([&](State &) {
        require(info != nullptr);
        unsigned major = 0, minor = 0;
        std::sscanf(PACKAGE_VERSION, "%u.%u", &major, &minor);
        *info = {};
        info->cryptokiVersion = {2, 40};
        fill(info->manufacturerID, "De-Mail for Postfix");
        fill(info->libraryDescription, "TCOS cards by demail-cardd");
        info->libraryVersion = {static_cast<CK_BYTE>(major), static_cast<CK_BYTE>(minor)};
    });
}

__attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list) {
    return contained([&] {
        require(list != nullptr);
        *list = function_list();
    });
}
