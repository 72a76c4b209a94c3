#include "filter/firewall.hpp"

#include "message/ascii.hpp"
#include "message/header.hpp"

#include <algorithm>

namespace demail::filter {
namespace {

/// The sender's own reference: the one field that the seal does not carry to the relay.
bool is_private_id(std::string_view name) {
    return ascii::equal(name, "x-de-mail-private-id") || ascii::equal(name, "x-de-mail-privat-id");
}

} // namespace

void Firewall::see(std::string_view name, bool of_demail) {
    if (!reads_as_demail(name) || over_limit_) return;
    auto seen = std::find_if(seen_.begin(), seen_.end(),
                             [&](const Seen &one) { return ascii::equal(one.name, name); });
    if (seen == seen_.end()) seen = seen_.insert(seen_.end(), {ascii::lower(name), 0});
    ++seen->count;
    if (of_demail && seen->count == 1) {
        if (ascii::equal(name, kept_)) return;
        if (sender_may_set(name)) {
            if (!is_private_id(name)) read_.push_back({std::string(name), 1});
            return;
        }
    }
    if (removals_.size() == limit) {
        over_limit_ = true;
        return;
    }
    removals_.push_back({std::string(name), seen->count});
}

std::vector<Removal> Firewall::removals() const {
    std::vector<Removal> ordered = removals_;
    ordered.insert(ordered.end(), read_.begin(), read_.end());
    std::stable_sort(ordered.begin(), ordered.end(),
                     [](const Removal &a, const Removal &b) { return a.index > b.index; });
    return ordered;
}

std::string Firewall::names() const {
    constexpr std::size_t shown = 5;
    constexpr std::size_t longest = 60;
    std::string text;
    for (std::size_t i = 0; i < removals_.size() && i < shown; ++i) {
        if (i != 0) text += ',';
        text += removals_[i].name.substr(0, longest);
    }
    if (removals_.size() > shown) text += ",...";
    return text;
}

} // namespace demail::filter
