#include "programs/ctl_cert.hpp"

#include "base/certificate_time.hpp"
#include "base/digest.hpp"
#include "programs/ctl_screen.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

namespace demail::ctl {
namespace {

using nlohmann::ordered_json;
using Tokens = std::vector<ListedToken>;

void add_key(std::vector<ConfiguredKey> &keys, const std::string &whose, const char *entry,
             const std::string &uri) {
    if (uri.empty()) return;
    auto parsed = crypto::KeyUri::parse(uri);
    if (auto *good = std::get_if<crypto::KeyUri>(&parsed))
        keys.push_back(
            {whose + ": " + entry, std::move(*good), std::string_view(entry) == "auth_key"});
}

const Tokens *tokens_of(const ListedModules &modules, const std::string &path) {
    const auto found = modules.find(path);
    return found == modules.end() ? nullptr : std::get_if<Tokens>(&found->second);
}

std::vector<std::string> uses_of(const std::string &module, const ListedToken &token,
                                 std::size_t index, const std::vector<ConfiguredKey> &keys) {
    std::vector<std::string> uses;
    for (const ConfiguredKey &key : keys)
        if (key.uri.module() == module && token.fits(key.uri) && token.named_by(key.uri) == index)
            uses.push_back(key.use);
    return uses;
}

Finding finding_of(const ConfiguredKey &key, const ListedModules &modules) {
    const Tokens *const tokens = tokens_of(modules, key.uri.module());
    if (tokens == nullptr) return {key.use, Verdict::unknown, "its PKCS#11 module cannot be asked"};
    std::vector<const ListedToken *> fitting;
    for (const ListedToken &token : *tokens)
        if (token.fits(key.uri)) fitting.push_back(&token);
    if (fitting.empty()) return {key.use, Verdict::unknown, "its token is not there"};
    if (fitting.size() > 1)
        return {key.use, Verdict::bad, "several tokens fit its URI: name one by token= or serial="};
    const ListedToken &token = *fitting.front();
    const auto index = token.named_by(key.uri);
    const bool named = key.uri.object || key.uri.id;
    if (!index)
        return {key.use, Verdict::bad,
                named ? "its token has no such certificate"
                      : "its token has no certificate to sign in with"};
    const ListedCertificate &one = token.certificates[*index];
    // Named by a person, the certificate of a sign_key need only be in time.
    const bool usable = one.judged.rank > 0 || (named && !key.signs_in && one.judged.in_time);
    if (!usable)
        return {
            key.use, Verdict::bad,
            fmt::format("its certificate \"{}\" cannot be used: {}", one.label, one.judged.reason)};
    return {key.use, Verdict::good,
            fmt::format("certificate \"{}\" of token \"{}\"", one.label, token.label)};
}

std::string joined(const std::vector<std::string> &words) {
    std::string text;
    for (const std::string &word : words)
        text += (text.empty() ? "" : ", ") + word;
    return text;
}

std::string reason_of(const ListedToken &token, std::size_t index) {
    const std::string &reason = token.certificates[index].judged.reason;
    return token.choice == index                        ? "chosen: " + reason
           : token.certificates[index].judged.rank == 0 ? "not usable: " + reason
                                                        : "another is better: " + reason;
}

std::string as_text(const ListedModules &modules, const std::vector<ConfiguredKey> &keys,
                    const Screen &screen) {
    std::string out;
    Table table({"", "TOKEN", "OBJECT", "SUBJECT", "VALID UNTIL", "USES", "REASON", "USED BY"});
    bool any = false;
    for (const auto &[path, listed] : modules) {
        if (const auto *fault = std::get_if<std::string>(&listed)) {
            out += screen.paint(visible(*fault), Tone::bad) + "\n";
            continue;
        }
        for (const ListedToken &token : std::get<Tokens>(listed))
            for (std::size_t i = 0; i < token.certificates.size(); ++i) {
                const ListedCertificate &one = token.certificates[i];
                const bool chosen = token.choice == i;
                any = true;
                table.add({chosen ? Cell("*", Tone::good) : Cell(" "), token.label, one.label,
                           crypto::name_text(X509_get_subject_name(one.certificate.get())),
                           date_text(one.judged.until), one.judged.uses,
                           Cell(reason_of(token, i), chosen ? Tone::good : Tone::plain),
                           joined(uses_of(path, token, i, keys))});
            }
    }
    out += any ? table.str(screen) : "There is no certificate on any token.\n";
    for (const ConfiguredKey &key : keys) {
        const Finding finding = finding_of(key, modules);
        out += screen.paint(visible(fmt::format("{}: {}", finding.name, finding.sentence)),
                            tone_of(finding.verdict)) +
               "\n";
    }
    return out;
}

ordered_json certificate_json(const std::string &module, const ListedToken &token,
                              std::size_t index, const std::vector<ConfiguredKey> &keys) {
    const ListedCertificate &one = token.certificates[index];
    std::string der(static_cast<std::size_t>(std::max(0, i2d_X509(one.certificate.get(), nullptr))),
                    '\0');
    auto *to = reinterpret_cast<unsigned char *>(der.data());
    i2d_X509(one.certificate.get(), &to);
    return {{"label", one.label},
            {"id", hex(one.id)},
            {"subject", visible(crypto::name_text(X509_get_subject_name(one.certificate.get())))},
            {"issuer", visible(crypto::name_text(X509_get_issuer_name(one.certificate.get())))},
            {"sha256", hex(view(sha256(der)))},
            {"validUntil", date_text(one.judged.until)},
            {"uses", one.judged.uses},
            {"usable", one.judged.rank > 0},
            {"reason", one.judged.reason},
            {"chosen", token.choice == index},
            {"usedBy", uses_of(module, token, index, keys)}};
}

} // namespace

std::vector<ConfiguredKey> configured_keys(const Configuration &configuration) {
    std::vector<ConfiguredKey> keys;
    for (const ProviderConfiguration &one : configuration.providers) {
        const std::string whose = "provider " + one.name;
        add_key(keys, whose, "auth_key", one.auth_key);
        add_key(keys, whose, "sign_key", one.sign_key);
    }
    for (const AccountConfiguration &one : configuration.accounts) {
        const std::string whose = "account " + one.name;
        add_key(keys, whose, "auth_key", one.auth_key);
        add_key(keys, whose, "sign_key", one.sign_key);
    }
    return keys;
}

ordered_json certificates_json(const ListedModules &modules,
                               const std::vector<ConfiguredKey> &keys) {
    ordered_json tokens = ordered_json::array(), faults = ordered_json::array(),
                 configured = ordered_json::array();
    for (const auto &[path, listed] : modules) {
        if (const auto *fault = std::get_if<std::string>(&listed)) {
            faults.push_back({{"module", path}, {"sentence", *fault}});
            continue;
        }
        for (const ListedToken &token : std::get<Tokens>(listed)) {
            ordered_json certificates = ordered_json::array();
            for (std::size_t i = 0; i < token.certificates.size(); ++i)
                certificates.push_back(certificate_json(path, token, i, keys));
            tokens.push_back({{"module", path},
                              {"label", token.label},
                              {"serial", token.serial},
                              {"manufacturer", token.manufacturer},
                              {"model", token.model},
                              {"certificates", std::move(certificates)}});
        }
    }
    for (const ConfiguredKey &key : keys) {
        const Finding finding = finding_of(key, modules);
        configured.push_back({{"key", finding.name},
                              {"verdict", word(finding.verdict)},
                              {"sentence", finding.sentence}});
    }
    return {{"tokens", std::move(tokens)},
            {"faults", std::move(faults)},
            {"configured", std::move(configured)}};
}

std::vector<KeyFinding> key_findings(const Configuration &configuration) {
    const std::vector<ConfiguredKey> keys = configured_keys(configuration);
    ListedModules modules;
    for (const ConfiguredKey &key : keys)
        if (modules.try_emplace(key.uri.module()).second)
            modules[key.uri.module()] = list_tokens(key.uri.module());
    std::vector<KeyFinding> findings;
    for (const ConfiguredKey &key : keys) {
        KeyFinding one{finding_of(key, modules), 0};
        if (const auto *fault = std::get_if<std::string>(&modules[key.uri.module()]))
            one.finding.sentence = *fault;
        if (const Tokens *tokens = tokens_of(modules, key.uri.module()))
            for (const ListedToken &token : *tokens)
                if (const auto index = token.fits(key.uri) ? token.named_by(key.uri) : std::nullopt)
                    one.until = token.certificates[*index].judged.until;
        findings.push_back(std::move(one));
    }
    return findings;
}

int list_certificates(const Configuration &configuration, bool json) {
    const std::vector<ConfiguredKey> keys = configured_keys(configuration);
    ListedModules modules;
    for (const ConfiguredKey &key : keys)
        modules.try_emplace(key.uri.module());
    if (keys.empty()) modules.try_emplace(crypto::KeyUri{}.module());
    Verdict worst = Verdict::good;
    for (auto &[path, listed] : modules) {
        listed = list_tokens(path);
        if (std::holds_alternative<std::string>(listed)) worst = worse(worst, Verdict::unknown);
    }
    for (const ConfiguredKey &key : keys)
        worst = worse(worst, finding_of(key, modules).verdict);
    const bool written =
        print(json ? certificates_json(modules, keys)
                             .dump(2, ' ', true, ordered_json::error_handler_t::replace) +
                         "\n"
                   : as_text(modules, keys, Screen::of(STDOUT_FILENO)));
    return written ? exit_of(worst) : exit_unavailable;
}

} // namespace demail::ctl
