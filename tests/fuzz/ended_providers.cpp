// A list of ended providers: what is taken can stand in a reply, what is not is said with its
// place.
#include "admin/ended_providers_file.hpp"
#include "fuzz.hpp"
#include "message/address.hpp"

#include <algorithm>

namespace demail::fuzz {

void ended_providers(std::string_view text) {
    EndedProvidersRead read;
    take_ended_providers(text, "ended.toml", read);
    for (const ConfigurationFault &fault : read.faults)
        HOLDS(fault.file == "ended.toml" && !fault.sentence.empty() &&
              fault.sentence.size() < 1000);
    if (!read.faults.empty()) return;
    for (const auto &[domain, entry] : read.providers.all()) {
        HOLDS(normal_domain(domain) == domain && domain != "de-mail.de");
        HOLDS(read.providers.find(domain, "9999-99-99") == entry.provider.get());
        HOLDS(read.providers.find(domain, "0000-00-00") == nullptr);
        const Reply reply = refusal(*entry.provider);
        HOLDS(reply.text.size() < 450);
        HOLDS(std::all_of(reply.text.begin(), reply.text.end(),
                          [](char c) { return c >= ' ' && c <= '~'; }));
    }
}

} // namespace demail::fuzz
