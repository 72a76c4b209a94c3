// What the C functions have in common: looking at a caller's pointers, ending operations.
#pragma once

#include "module/operation.hpp"
#include "module/process.hpp"
#include "module/state.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

namespace demail::module {

/// No pointer is only right for nothing.
inline std::string_view input_bytes(const CK_BYTE *bytes, CK_ULONG size) {
    require(bytes != nullptr || size == 0);
    return {reinterpret_cast<const char *>(bytes), bytes == nullptr ? 0 : size};
}

inline std::span<CK_ATTRIBUTE> attributes(CK_ATTRIBUTE_PTR list, CK_ULONG count) {
    require(list != nullptr || count == 0);
    return {list, list == nullptr ? 0 : count};
}

/// A template that is read: what its entries point to is there.
inline std::span<const CK_ATTRIBUTE> pattern(CK_ATTRIBUTE_PTR list, CK_ULONG count) {
    const auto entries = attributes(list, count);
    for (const CK_ATTRIBUTE &entry : entries)
        require(entry.pValue != nullptr || entry.ulValueLen == 0);
    return entries;
}

/// Fixed fields of PKCS#11: blanks behind, no NUL, cut between characters.
template <std::size_t Size>
void fill(CK_UTF8CHAR (&field)[Size], std::string_view text) {
    std::size_t end = std::min(text.size(), Size);
    if (end < text.size())
        while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
            --end;
    std::memset(field, ' ', Size);
    if (end > 0) std::memcpy(field, text.data(), end);
}

/// Ends the operation when the call ends, unless it is kept (PKCS#11 2.40 5.2: only asking for the
/// length and too small a buffer leave it active).
template <typename Operation>
class Ending {
  public:
    explicit Ending(std::optional<Operation> &operation) : operation_(operation) {}
    ~Ending() {
        if (!kept_) operation_.reset();
    }
    Ending(const Ending &) = delete;
    Ending &operator=(const Ending &) = delete;

    [[nodiscard]] Operation &operation() const {
        require(operation_.has_value(), CKR_OPERATION_NOT_INITIALIZED);
        return *operation_;
    }
    CK_RV keep(CK_RV result = CKR_OK) {
        kept_ = true;
        return result;
    }
    /// For a result that did not fit.
    CK_RV keep(const Output &output) { return keep(output.asks() ? CKR_OK : CKR_BUFFER_TOO_SMALL); }

  private:
    std::optional<Operation> &operation_;
    bool kept_ = false;
};

/// A key on which the operation may begin. The token's private keys are for those who have logged
/// in.
inline ObjectPointer key_for(State &state, CK_SLOT_ID slot, CK_OBJECT_HANDLE handle,
                             CK_OBJECT_CLASS type, bool wire::Key::*permitted) {
    ObjectPointer object = state.tokens.object(slot, handle, CKR_KEY_HANDLE_INVALID);
    require(object->type == CKO_PRIVATE_KEY || object->type == CKO_PUBLIC_KEY,
            CKR_KEY_HANDLE_INVALID);
    require(object->type == type, CKR_KEY_TYPE_INCONSISTENT);
    require(object->key.*permitted, CKR_KEY_FUNCTION_NOT_PERMITTED);
    return object;
}

inline void expect_login(const State &state, CK_SLOT_ID slot) {
    require(state.tokens.logged_in(slot), CKR_USER_NOT_LOGGED_IN);
}

} // namespace demail::module
