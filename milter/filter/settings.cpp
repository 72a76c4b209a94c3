#include "filter/settings.hpp"

#include "filter/file_text.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

namespace demail::filter {

std::variant<std::shared_ptr<const Settings>, std::string>
make_settings(const Configuration &configuration, const Settings *previous) {
    constexpr std::size_t key_file_limit = 65536;
    const auto text = read_file(configuration.seal_key_file, key_file_limit);
    if (!text)
        return fmt::format("the seal key file {} cannot be read: {}", configuration.seal_key_file,
                           std::strerror(errno));
    auto keys = SealKeys::parse(*text);
    if (const auto *fault = std::get_if<std::string>(&keys))
        return fmt::format("the seal key file {}: {}", configuration.seal_key_file, *fault);

    auto settings = std::make_shared<Settings>();
    settings->observe = configuration.observe;
    settings->refuse_mixed_recipients = configuration.refuse_mixed_recipients;
    settings->rules = configuration.rules;
    settings->keys = std::move(std::get<SealKeys>(keys));
    if (previous != nullptr && previous->domains &&
        previous->domains->path() == configuration.domains)
        settings->domains = previous->domains;
    else
        settings->domains = std::make_shared<DomainList>(configuration.domains);
    return settings;
}

} // namespace demail::filter
