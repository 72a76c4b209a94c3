#include "filter/settings.hpp"

#include "admin/ended_providers_file.hpp"
#include "admin/seal_key_file.hpp"

#include <utility>

namespace demail::filter {

std::variant<std::shared_ptr<const Settings>, std::string>
make_settings(const Configuration &configuration, const Settings *previous) {
    auto keys = read_seal_keys(configuration.seal_key_file);
    if (auto *fault = std::get_if<std::string>(&keys)) return std::move(*fault);
    auto ended = read_ended_providers(configuration);
    if (!ended.faults.empty()) return ended.faults.front().str();
    auto settings = std::make_shared<Settings>();
    settings->ended = std::move(ended.providers);
    settings->observe = configuration.observe;
    settings->refuse_mixed_recipients = configuration.refuse_mixed_recipients;
    settings->senders = std::make_shared<Senders>(
        configuration, previous == nullptr ? nullptr : previous->senders.get());
    settings->rules = [senders = settings->senders] { return senders->now(); };
    settings->blocks = std::make_shared<BlocksFile>(configuration.blocks);
    settings->subject_flags = configuration.subject_flags;
    settings->seal_lifetime = configuration.seal_lifetime;
    settings->reinjection = configuration.reinjection;
    settings->keys = std::move(std::get<SealKeys>(keys));
    if (previous != nullptr && previous->domains &&
        previous->domains->path() == configuration.domains)
        settings->domains = previous->domains;
    else
        settings->domains = std::make_shared<DomainList>(configuration.domains);
    return settings;
}

} // namespace demail::filter
