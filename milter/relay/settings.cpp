#include "relay/settings.hpp"

#include "admin/ended_providers_file.hpp"
#include "admin/seal_key_file.hpp"
#include "crypto/token_key.hpp"
#include "soap/reference_provider.hpp"

#include <algorithm>
#include <stdexcept>

namespace demail::relay {

namespace {

std::shared_ptr<crypto::TokenKey> open_key(const std::string &uri, std::chrono::seconds deadline,
                                           const std::string &refused_pins) {
    auto parsed = crypto::KeyUri::parse(uri);
    if (const auto *fault = std::get_if<std::string>(&parsed)) throw std::runtime_error(*fault);
    return crypto::TokenKey::open(std::get<crypto::KeyUri>(parsed), deadline, refused_pins);
}

Account::Connect wire_of(const Configuration &configuration, const ProviderConfiguration &provider,
                         const AccountConfiguration &account) {
    soap::Endpoint endpoint;
    endpoint.name = provider.name;
    endpoint.url = provider.endpoint;
    endpoint.ca_file = provider.ca_file;
    endpoint.reply_signer = provider.reply_signer;
    endpoint.schema_directory = configuration.schema_directory;
    endpoint.answer_timeout = provider.answer_timeout;
    endpoint.tls = provider.tls;
    const std::string auth = account.auth_key.empty() ? provider.auth_key : account.auth_key;
    const std::string own_sign = account.auth_key.empty() ? provider.sign_key : account.auth_key;
    const std::string sign = account.sign_key.empty() ? own_sign : account.sign_key;
    return [endpoint, auth, sign, deadline = provider.token_timeout,
            refused_pins = configuration.refused_pins] {
        const auto auth_key = open_key(auth, deadline, refused_pins);
        const auto sign_key =
            sign.empty() || sign == auth ? auth_key : open_key(sign, deadline, refused_pins);
        return soap::connect_reference(endpoint, auth_key, sign_key);
    };
}

} // namespace

std::shared_ptr<const Settings> settings_from(std::shared_ptr<const Configuration> configuration,
                                              const Settings *previous) {
    auto keys = read_seal_keys(configuration->seal_key_file);
    if (const auto *fault = std::get_if<std::string>(&keys)) throw std::runtime_error(*fault);

    auto ended = read_ended_providers(*configuration);
    if (!ended.faults.empty()) throw std::runtime_error(ended.faults.front().str());

    std::map<std::string, std::shared_ptr<Breaker>> breakers;
    std::map<std::string, std::shared_ptr<Account>, std::less<>> accounts;
    for (const AccountConfiguration &account : configuration->accounts) {
        const auto provider = std::find_if(
            configuration->providers.begin(), configuration->providers.end(),
            [&](const ProviderConfiguration &one) { return one.name == account.provider; });
        if (provider == configuration->providers.end())
            continue; // the configuration's check says so
        auto &breaker = breakers[account.provider];
        if (!breaker) breaker = std::make_shared<Breaker>(account.provider, provider->patience);
        accounts.emplace(account.name,
                         std::make_shared<Account>(account.name, account.provider,
                                                   wire_of(*configuration, *provider, account),
                                                   breaker, provider->look_ups));
    }
    auto senders = std::make_shared<Senders>(
        *configuration, previous == nullptr ? nullptr : previous->senders.get());
    return std::make_shared<const Settings>(
        Settings{configuration, std::get<SealKeys>(std::move(keys)), std::move(accounts),
                 std::make_shared<Spool>(configuration->spool),
                 journal::Evidence(configuration->evidence), std::move(ended.providers),
                 std::move(senders), std::make_shared<BlocksFile>(configuration->blocks)});
}

} // namespace demail::relay
