// What a card's owner can send in, so that a card that nobody here has seen can be supported. Reads
// what needs no PIN, verifies nothing.
#include "base/digest.hpp"
#include "broker/tcos_driver.hpp"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/x509.h>

#include <utility>

namespace demail::broker {
namespace {

std::string text_of(const BIO *bio) {
    const char *bytes = nullptr;
    const long size = BIO_get_mem_data(const_cast<BIO *>(bio), &bytes);
    return size > 0 ? std::string(bytes, static_cast<std::size_t>(size)) : std::string();
}

std::string described(X509 &certificate) {
    const Handle<BIO, BIO_free> out(BIO_new(BIO_s_mem()));
    X509_NAME_print_ex(out.get(), X509_get_subject_name(&certificate), 0, XN_FLAG_RFC2253);
    BIO_puts(out.get(), "; until ");
    ASN1_TIME_print(out.get(), X509_get0_notAfter(&certificate));
    const EVP_PKEY *key = X509_get0_pubkey(&certificate);
    if (key != nullptr)
        BIO_printf(out.get(), "; %s, %d bits", EVP_PKEY_get0_type_name(key),
                   EVP_PKEY_get_bits(key));
    return text_of(out.get());
}

std::string sentence(const tcos::PinStatus &status) {
    if (const auto *left = std::get_if<tcos::TriesLeft>(&status))
        return fmt::format("{} tries left", left->tries);
    if (std::holds_alternative<tcos::Verified>(status)) return "verified";
    if (std::holds_alternative<tcos::Blocked>(status)) return "blocked";
    if (std::holds_alternative<tcos::NullPin>(status)) return "never set (null PIN)";
    if (const auto *unknown = std::get_if<tcos::StatusUnknown>(&status))
        return "not told: " + tcos::text(unknown->status);
    return tcos::text(std::get<tcos::Loss>(status));
}

std::string place(const tcos::Directory *directory) {
    if (directory == nullptr) return "MF";
    if (directory->file != 0) return fmt::format("DF {:04X}", directory->file);
    return "AID " + hex(tcos::text_of(directory->aid));
}

} // namespace

std::string tcos_report(const std::string &reader, tcos::Card &card) {
    std::string out = fmt::format(
        "reader: {}\nATR: {}\n  {}\nserial (EF.GDO): {}\n", reader, hex(tcos::text_of(card.atr())),
        card.known_atr() == nullptr ? "not known" : card.known_atr()->name, card.serial());
    for (const tcos::Application *application : card.applications())
        out += fmt::format("application: {} (AID {})\n", application->name,
                           hex(tcos::text_of(application->aid)));
    out += "PINs (only their counters were asked for):\n";
    for (const tcos::Pin *pin : card.pins())
        out += fmt::format("  {} {:02X} {}: {}\n", place(pin->directory), pin->reference, pin->name,
                           sentence(card.pin_status(*pin)));
    const auto records = card.records();
    if (const auto *files = std::get_if<std::vector<tcos::Records>>(&records)) {
        out += "key and PIN records:\n";
        for (const tcos::Records &file : *files)
            for (std::size_t i = 0; i < file.records.size(); ++i)
                out += fmt::format("  {} {:04X} {}: {}\n", place(file.directory), file.file, i + 1,
                                   hex(tcos::text_of(file.records[i])));
    }
    const auto certificates = card.certificates();
    if (const auto *list = std::get_if<std::vector<tcos::CertificateOnCard>>(&certificates)) {
        out += "certificates:\n";
        for (const tcos::CertificateOnCard &one : *list) {
            const auto *certificate = std::get_if<tcos::Certificate>(&one.content);
            out += fmt::format("  {} {:04X} of key {:02X}: {}\n", place(one.key->directory),
                               one.file, one.key->reference,
                               certificate == nullptr
                                   ? tcos::text(std::get<tcos::NoCertificate>(one.content))
                                   : described(**certificate));
        }
    }
    return out;
}

} // namespace demail::broker
