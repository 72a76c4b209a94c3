// PKCS#11 2.40 5.9: decrypting on the card.
#include "module/call_parts.hpp"

using namespace demail;
using namespace demail::module;

namespace {

/// The length of a plaintext is known only afterwards; the modulus bounds it. One that did not fit
/// is kept for the call with a larger buffer, so that the card is not asked twice.
CK_RV finish(State &state, Ending<DecryptOperation> &ending, const Output &output) {
    DecryptOperation &decrypt = ending.operation();
    if (output.asks() && !decrypt.plaintext) {
        static_cast<void>(output.fits(signature_size(decrypt.key)));
        return ending.keep();
    }
    const Secret &plaintext = decrypt.finish(state.daemon);
    if (!output.fits(plaintext.size())) return ending.keep(output);
    output.give(plaintext.view());
    return CKR_OK;
}

} // namespace

CK_RV C_DecryptInit(CK_SESSION_HANDLE handle, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key) {
    return enter([&](State &state) {
        const LockedSession session = state.sessions.lock(handle);
        require(mechanism != nullptr);
        require(!session->decrypt, CKR_OPERATION_ACTIVE);
        wire::DecryptScheme how = decrypt_mechanism(*mechanism);
        expect_login(state, session->slot);
        const ObjectPointer object =
            key_for(state, session->slot, key, CKO_PRIVATE_KEY, &wire::Key::may_decrypt);
        session->decrypt = DecryptOperation{
            {}, std::move(how), object->key, state.tokens.token(session->slot).serial, {}, {}};
    });
}

CK_RV C_Decrypt(CK_SESSION_HANDLE handle, CK_BYTE *data, CK_ULONG size, CK_BYTE *plaintext,
                CK_ULONG *plaintext_length) {
    return enter([&](State &state) -> CK_RV {
        const LockedSession session = state.sessions.lock(handle);
        Ending ending(session->decrypt);
        const std::string_view input = input_bytes(data, size);
        const Output output(plaintext, plaintext_length);
        DecryptOperation &decrypt = ending.operation();
        decrypt.course.whole();
        expect_login(state, session->slot);
        decrypt.input.clear();
        decrypt.update(input);
        return finish(state, ending, output);
    });
}

CK_RV C_DecryptUpdate(CK_SESSION_HANDLE handle, CK_BYTE *part, CK_ULONG size, CK_BYTE *,
                      CK_ULONG *plaintext_length) {
    return enter([&](State &state) -> CK_RV {
        const LockedSession session = state.sessions.lock(handle);
        Ending ending(session->decrypt);
        const std::string_view input = input_bytes(part, size);
        require(plaintext_length != nullptr);
        DecryptOperation &decrypt = ending.operation();
        decrypt.course.parts();
        decrypt.update(input);
        *plaintext_length = 0; // an RSA block is opened as a whole
        return ending.keep();
    });
}

CK_RV C_DecryptFinal(CK_SESSION_HANDLE handle, CK_BYTE *plaintext, CK_ULONG *plaintext_length) {
    return enter([&](State &state) -> CK_RV {
        const LockedSession session = state.sessions.lock(handle);
        Ending ending(session->decrypt);
        const Output output(plaintext, plaintext_length);
        ending.operation().course.parts();
        expect_login(state, session->slot);
        return finish(state, ending, output);
    });
}
