// A program that signs by a PKCS#11 module, ours or another: for the card's bench and the leak
// test.
//     card_signer MODULE TOKEN-LABEL KEY-ID
// TOKEN-LABEL may be a part of it; KEY-ID is in hex. On standard input, one line each, answered by
// one line:
//     start         loads the module and opens a session: "ok"
//     login PIN     logs in and finds the private key: "ok"
//     prove TEXT    the signature (CKM_SHA256_RSA_PKCS) of TEXT in hex
//     sign N        begin and end of each of N signatures, in microseconds of the clock
//     loop SECONDS  how many signatures there were
//     end           closes all that, and the program with it
#include <dlfcn.h>
#include <fmt/format.h>
#include <p11-kit/pkcs11.h>

#include <array>
#include <chrono>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using Bytes = std::vector<CK_BYTE>;

void check(CK_RV rv, const char *call) {
    if (rv != CKR_OK) throw std::runtime_error(fmt::format("{}: {:#x}", call, rv));
}

Bytes from_hex(const std::string &text) {
    Bytes bytes;
    for (std::size_t at = 0; at + 1 < text.size(); at += 2)
        bytes.push_back(static_cast<CK_BYTE>(std::stoul(text.substr(at, 2), nullptr, 16)));
    return bytes;
}

long long microseconds() {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

class Signer {
  public:
    Signer(const std::string &module, std::string token, const std::string &id)
        : module_(module), token_(std::move(token)), id_(from_hex(id)) {}

    void start() {
        library_ = ::dlopen(module_.c_str(), RTLD_NOW);
        if (library_ == nullptr) throw std::runtime_error(::dlerror());
        const auto list =
            reinterpret_cast<CK_C_GetFunctionList>(::dlsym(library_, "C_GetFunctionList"));
        if (list == nullptr) throw std::runtime_error(module_ + " has no C_GetFunctionList");
        check(list(&p11_), "C_GetFunctionList");
        check(p11_->C_Initialize(nullptr), "C_Initialize");
        check(p11_->C_OpenSession(slot(), CKF_SERIAL_SESSION, nullptr, nullptr, &session_),
              "C_OpenSession");
    }

    void login(std::string pin) {
        check(
            p11_->C_Login(session_, CKU_USER, reinterpret_cast<CK_BYTE *>(pin.data()), pin.size()),
            "C_Login");
        CK_OBJECT_CLASS kind = CKO_PRIVATE_KEY;
        std::array<CK_ATTRIBUTE, 2> wanted{
            {{CKA_CLASS, &kind, sizeof kind}, {CKA_ID, id_.data(), id_.size()}}};
        CK_ULONG found = 0;
        check(p11_->C_FindObjectsInit(session_, wanted.data(), wanted.size()), "C_FindObjectsInit");
        check(p11_->C_FindObjects(session_, &key_, 1, &found), "C_FindObjects");
        check(p11_->C_FindObjectsFinal(session_), "C_FindObjectsFinal");
        if (found != 1) throw std::runtime_error("the token has no such key");
    }

    std::string sign(std::string text) {
        CK_MECHANISM mechanism{CKM_SHA256_RSA_PKCS, nullptr, 0};
        std::array<CK_BYTE, 512> signature{};
        CK_ULONG size = signature.size();
        check(p11_->C_SignInit(session_, &mechanism, key_), "C_SignInit");
        check(p11_->C_Sign(session_, reinterpret_cast<CK_BYTE *>(text.data()), text.size(),
                           signature.data(), &size),
              "C_Sign");
        return {signature.begin(), signature.begin() + size};
    }

    void end() {
        check(p11_->C_CloseSession(session_), "C_CloseSession");
        check(p11_->C_Finalize(nullptr), "C_Finalize");
        ::dlclose(library_);
    }

  private:
    CK_SLOT_ID slot() {
        std::array<CK_SLOT_ID, 32> slots{};
        CK_ULONG count = slots.size();
        check(p11_->C_GetSlotList(CK_TRUE, slots.data(), &count), "C_GetSlotList");
        for (CK_ULONG at = 0; at < count; ++at) {
            CK_TOKEN_INFO info{};
            check(p11_->C_GetTokenInfo(slots[at], &info), "C_GetTokenInfo");
            const std::string label(info.label, info.label + sizeof info.label);
            if (label.find(token_) != std::string::npos) return slots[at];
        }
        throw std::runtime_error(fmt::format("none of {} tokens is called {}", count, token_));
    }

    std::string module_, token_;
    Bytes id_;
    void *library_ = nullptr;
    CK_FUNCTION_LIST *p11_ = nullptr;
    CK_SESSION_HANDLE session_ = 0;
    CK_OBJECT_HANDLE key_ = 0;
};

std::string times(Signer &signer, long count) {
    std::string line;
    for (long done = 0; done < count; ++done) {
        const long long begin = microseconds();
        signer.sign("a letter");
        line += fmt::format("{} {} ", begin, microseconds());
    }
    return line;
}

long loop(Signer &signer, double seconds) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    long count = 0;
    while (std::chrono::steady_clock::now() < end) {
        signer.sign("a letter");
        ++count;
    }
    return count;
}

std::string hex(const std::string &bytes) {
    std::string text;
    for (const char byte : bytes)
        text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    return text;
}

std::string answer(Signer &signer, const std::string &verb, const std::string &rest) {
    if (verb == "start") return signer.start(), "ok";
    if (verb == "login") return signer.login(rest), "ok";
    if (verb == "prove") return hex(signer.sign(rest));
    if (verb == "sign") return times(signer, std::stol(rest));
    if (verb == "loop") return std::to_string(loop(signer, std::stod(rest)));
    if (verb == "end") return signer.end(), "ok";
    throw std::runtime_error(verb + " is no order");
}

} // namespace

int main(int count, char **arguments) {
    try {
        if (count != 4) throw std::runtime_error("card_signer MODULE TOKEN-LABEL KEY-ID");
        Signer signer(arguments[1], arguments[2], arguments[3]);
        for (std::string line; std::getline(std::cin, line);) {
            std::istringstream words(line);
            std::string verb, rest;
            words >> verb >> std::ws;
            std::getline(words, rest);
            std::cout << answer(signer, verb, rest) << std::endl;
            if (verb == "end") break;
        }
    } catch (const std::exception &error) {
        std::cerr << "card_signer: " << error.what() << std::endl;
        return 1;
    }
    return 0;
}
