// What a token shows: keys and certificates as PKCS#11 attributes. Immutable once made, so shared
// between threads.
#pragma once

#include "module/crypto.hpp"
#include "wire/message.hpp"

#include <p11-kit/pkcs11.h>

#include <span>
#include <string>
#include <vector>

namespace demail::module {

struct Attribute {
    CK_ATTRIBUTE_TYPE type;
    std::string value;
};

struct Object {
    CK_OBJECT_HANDLE handle = CK_INVALID_HANDLE;
    CK_OBJECT_CLASS type = 0;
    /// The same for the same object whenever it is read anew: so it keeps its handle.
    std::string identity;
    std::vector<Attribute> attributes;
    wire::Key key; ///< of a key object

    [[nodiscard]] bool is_private() const noexcept { return type == CKO_PRIVATE_KEY; }
    /// nullptr: it has no such attribute.
    [[nodiscard]] const std::string *find(CK_ATTRIBUTE_TYPE wanted) const noexcept;
    [[nodiscard]] bool fits(std::span<const CK_ATTRIBUTE> pattern) const noexcept;
    /// C_GetAttributeValue (PKCS#11 2.40 5.7).
    [[nodiscard]] CK_RV read(std::span<CK_ATTRIBUTE> wanted) const noexcept;
};

/// A public key for each key, a private one if a login opens it, an object for each certificate
/// that can be read. The handles are not given yet.
[[nodiscard]] std::vector<Object> objects_of(Crypto &crypto, const wire::ObjectList &list);

} // namespace demail::module
