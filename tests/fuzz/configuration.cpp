// /etc/demail/demail.toml: what is taken holds together, what is not is said in whole sentences.
#include "admin/configuration.hpp"

#include "crypto/key_uri.hpp"
#include "fuzz.hpp"
#include "message/sender_table.hpp"

#include <algorithm>
#include <string>

namespace demail::fuzz {
namespace {

bool one_line(std::string_view text) {
    return !text.empty() && std::none_of(text.begin(), text.end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    });
}

void is_a_sentence(const ConfigurationFault &fault, std::string_view text) {
    HOLDS(one_line(fault.sentence) && one_line(fault.str()));
    HOLDS(fault.sentence.size() < 1000);
    HOLDS(fault.file == "demail.toml");
    const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
    HOLDS(fault.line <= lines + 1);
}

bool names_a_key(const std::string &uri) {
    return std::holds_alternative<crypto::KeyUri>(crypto::KeyUri::parse(uri));
}

void rule_holds_together(const SenderRule &rule, const AccountConfiguration &account) {
    HOLDS(rule.account == account.name && faults_of(rule, account.domains, "rule").empty());
    // A rule that asks for nothing would make everyone a sender.
    HOLDS(rule.local || !rule.login.empty() || !rule.networks.empty());
    HOLDS(!rule.local || !rule.from.wild());
    HOLDS(rule.as.wild() == false || rule.from.wild());
    // What demail.toml can say, a senders_file can, unless it holds blanks.
    const auto again = parse_sender_line(sender_line(rule), account.name, account.domains);
    const auto *read = std::get_if<SenderRule>(&again);
    HOLDS(sender_line(rule).find('"') != std::string::npos ||
          rule.login.find(' ') != std::string::npos || read != nullptr);
}

void holds_together(const Configuration &configuration) {
    for (const std::string &path :
         {configuration.milter_socket, configuration.lmtp_socket, configuration.domains,
          configuration.spool, configuration.evidence, configuration.refused_pins,
          configuration.control_socket, configuration.seal_key_file})
        HOLDS(path.size() > 1 && path.front() == '/' && one_line(path));
    for (const std::string &socket : {configuration.milter_socket, configuration.lmtp_socket})
        HOLDS(socket.size() <= 107);
    HOLDS(configuration.domains_refresh.count() > 0 && configuration.seal_lifetime.count() > 0);
    HOLDS(configuration.lookup_pause.count() >= 0);
    for (const ProviderConfiguration &provider : configuration.providers) {
        HOLDS(provider.endpoint.starts_with("https://") && one_line(provider.endpoint));
        HOLDS(provider.auth_key.empty() || names_a_key(provider.auth_key));
        HOLDS(!provider.reply_signer.empty());
    }
    for (const AccountConfiguration &account : configuration.accounts) {
        const auto provider =
            std::find_if(configuration.providers.begin(), configuration.providers.end(),
                         [&](const auto &one) { return one.name == account.provider; });
        HOLDS(provider != configuration.providers.end());
        HOLDS(names_a_key(account.auth_key.empty() ? provider->auth_key : account.auth_key));
        for (const std::string &domain : account.domains)
            HOLDS(normal_domain(domain) == domain);
    }
    for (const AccountRules &account : configuration.rules.accounts()) {
        const auto owner =
            std::find_if(configuration.accounts.begin(), configuration.accounts.end(),
                         [&](const auto &one) { return one.name == account.account; });
        HOLDS(owner != configuration.accounts.end());
        for (const SenderRule &rule : *account.rules)
            rule_holds_together(rule, *owner);
    }
}

} // namespace

void configuration(std::string_view text) {
    const auto got = parse_configuration(text, "demail.toml");
    if (const auto *configuration = std::get_if<Configuration>(&got)) {
        holds_together(*configuration);
        for (const ConfigurationFault &warning : configuration->warnings)
            is_a_sentence(warning, text);
        return;
    }
    const auto &faults = std::get<std::vector<ConfigurationFault>>(got);
    HOLDS(!faults.empty());
    for (const ConfigurationFault &fault : faults)
        is_a_sentence(fault, text);
}

} // namespace demail::fuzz
