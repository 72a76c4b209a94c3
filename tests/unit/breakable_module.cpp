#include "breakable_module.hpp"

#include "crypto/module.hpp"
#include "soft_token.hpp"

#include <algorithm>
#include <cstring>

namespace demail::test {
namespace {

CK_RV get_slot_list(unsigned char present, CK_SLOT_ID *slots, CK_ULONG *count) {
    if (!breakage().token_pulled) return real_module()->C_GetSlotList(present, slots, count);
    *count = 0;
    return CKR_OK;
}

CK_RV get_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info) {
    if (breakage().token_pulled) return CKR_TOKEN_NOT_PRESENT;
    const CK_RV result = real_module()->C_GetTokenInfo(slot, info);
    info->flags = (info->flags | breakage().more_token_flags) & ~breakage().fewer_token_flags;
    const std::string &serial = breakage().other_serial;
    if (!serial.empty()) {
        std::memset(info->serialNumber, ' ', sizeof info->serialNumber);
        std::memcpy(info->serialNumber, serial.data(),
                    std::min(serial.size(), sizeof info->serialNumber));
    }
    return result;
}

CK_RV get_mechanism_list(CK_SLOT_ID slot, CK_MECHANISM_TYPE *list, CK_ULONG *count) {
    const CK_RV result = real_module()->C_GetMechanismList(slot, list, count);
    if (list != nullptr)
        *count = static_cast<CK_ULONG>(
            std::remove(list, list + *count, breakage().hidden_mechanism) - list);
    return result;
}

CK_RV login(CK_SESSION_HANDLE session, CK_USER_TYPE user, unsigned char *pin, CK_ULONG size) {
    Breakage &now = breakage();
    ++now.logins;
    now.no_pin_given = pin == nullptr;
    if (pin != nullptr) now.last_pin.assign(reinterpret_cast<char *>(pin), size);
    if (now.next_login != CKR_OK) return std::exchange(now.next_login, CKR_OK);
    if (pin != nullptr) return real_module()->C_Login(session, user, pin, size);
    unsigned char typed[] = "123456"; // as if typed on the reader's pad
    return real_module()->C_Login(session, user, typed, 6);
}

CK_RV sign_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key) {
    const Breakage &now = breakage();
    if (now.token_pulled) return CKR_DEVICE_REMOVED;
    if (mechanism->mechanism == now.hidden_mechanism ||
        mechanism->mechanism == now.refused_mechanism)
        return CKR_MECHANISM_INVALID;
    return real_module()->C_SignInit(session, mechanism, key);
}

CK_RV sign(CK_SESSION_HANDLE session, unsigned char *data, CK_ULONG data_size,
           unsigned char *signature, CK_ULONG *size) {
    Breakage &now = breakage();
    ++now.signatures;
    if (now.next_sign != CKR_OK) return std::exchange(now.next_sign, CKR_OK);
    if (now.every_sign != CKR_OK) return now.every_sign;
    if (data_size > now.longest_to_sign) return CKR_DATA_LEN_RANGE;
    return real_module()->C_Sign(session, data, data_size, signature, size);
}

} // namespace

Breakage &breakage() {
    static Breakage now;
    return now;
}

CK_FUNCTION_LIST *real_module() {
    static const auto module = crypto::Module::load(SoftTokens::module_path());
    return module->operator->();
}

void adopt_breakable_module() {
    static CK_FUNCTION_LIST broken = *real_module();
    broken.C_GetSlotList = get_slot_list;
    broken.C_GetTokenInfo = get_token_info;
    broken.C_GetMechanismList = get_mechanism_list;
    broken.C_Login = login;
    broken.C_SignInit = sign_init;
    broken.C_Sign = sign;
    (void)crypto::Module::adopt(breakable_path, &broken);
}

} // namespace demail::test
