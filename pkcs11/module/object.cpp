#include "module/object.hpp"

#include "module/refused.hpp"

#include <algorithm>
#include <cstring>

namespace demail::module {
namespace {

/// Never shown of a private key, even where the card would know them.
bool is_sensitive(CK_ATTRIBUTE_TYPE type) noexcept {
    switch (type) {
    case CKA_PRIVATE_EXPONENT:
    case CKA_PRIME_1:
    case CKA_PRIME_2:
    case CKA_EXPONENT_1:
    case CKA_EXPONENT_2:
    case CKA_COEFFICIENT:
        return true;
    default:
        return false;
    }
}

} // namespace

const std::string *Object::find(CK_ATTRIBUTE_TYPE wanted) const noexcept {
    const auto found =
        std::find_if(attributes.begin(), attributes.end(),
                     [&](const Attribute &attribute) { return attribute.type == wanted; });
    return found == attributes.end() ? nullptr : &found->value;
}

bool Object::fits(std::span<const CK_ATTRIBUTE> pattern) const noexcept {
    return std::all_of(pattern.begin(), pattern.end(), [&](const CK_ATTRIBUTE &wanted) {
        const std::string *value = find(wanted.type);
        return value != nullptr && value->size() == wanted.ulValueLen &&
               (value->empty() || std::memcmp(value->data(), wanted.pValue, value->size()) == 0);
    });
}

CK_RV Object::read(std::span<CK_ATTRIBUTE> wanted) const noexcept {
    CK_RV result = CKR_OK;
    for (CK_ATTRIBUTE &one : wanted) {
        const std::string *value = find(one.type);
        CK_RV rv = CKR_OK;
        if (value == nullptr)
            rv = is_private() && is_sensitive(one.type) ? CKR_ATTRIBUTE_SENSITIVE
                                                        : CKR_ATTRIBUTE_TYPE_INVALID;
        else if (one.pValue != nullptr && one.ulValueLen < value->size())
            rv = CKR_BUFFER_TOO_SMALL;
        if (rv == CKR_OK) {
            if (one.pValue != nullptr && !value->empty())
                std::memcpy(one.pValue, value->data(), value->size());
            one.ulValueLen = value->size();
        } else {
            one.ulValueLen = unavailable;
            result = rv;
        }
    }
    return result;
}

} // namespace demail::module
