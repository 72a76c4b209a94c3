#include "filter/domain_list.hpp"

#include "base/file.hpp"
#include "base/log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

namespace demail::filter {
namespace {

constexpr std::size_t list_limit = std::size_t{16} << 20;

/// DomainSet always holds the built-in domains; a file without them was not written by the relay,
/// and an index made from it would let De-Mails leave to the Internet.
bool names_builtin_domains(std::string_view text) {
    bool exact = false, below = false;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        line = line.substr(0, line.find_first_of(" \t\r"));
        exact = exact || line == "de-mail.de";
        below = below || line == ".de-mail.de";
    }
    return exact && below;
}

} // namespace

std::optional<DomainSet> read_domain_list(const std::string &path) {
    try {
        const auto text = read_file(path, list_limit);
        if (!text || !names_builtin_domains(*text)) return std::nullopt;
        return DomainSet::parse(*text);
    } catch (const std::system_error &) {
        return std::nullopt;
    }
}

DomainStanding DomainSnapshot::find(std::string_view domain) const {
    const auto in_text = text_.find(domain);
    const auto in_index = indexed_.find(domain);
    if (!in_text && !in_index) return DomainStanding::ordinary;
    if (!available_) return DomainStanding::unavailable;
    if (!in_text || !in_index) return DomainStanding::in_change;
    switch (*in_text) {
    case DomainState::active:
        return DomainStanding::demail;
    case DomainState::hinted:
        return DomainStanding::hinted;
    default:
        return DomainStanding::ended;
    }
}

DomainList::DomainList(std::string path, Clock clock)
    : path_(std::move(path)), files_{path_, path_ + ".indexed", path_ + ".db", path_ + ".lmdb",
                                     path_ + ".cdb"},
      clock_(std::move(clock)),
      snapshot_(std::make_shared<DomainSnapshot>(DomainSet{}, DomainSet{}, false)) {}

DomainList::Stamps DomainList::stamps() const {
    Stamps all;
    std::transform(files_.begin(), files_.end(), all.begin(),
                   [](const std::string &path) { return FileStamp::of(path); });
    return all;
}

std::shared_ptr<const DomainSnapshot> DomainList::now() {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto time = clock_();
    if (looked_once_ && time - looked_ < std::chrono::seconds(1)) return snapshot_;
    const Stamps seen = stamps();
    if (!looked_once_ || seen != stamps_) read(seen);
    looked_once_ = true;
    looked_ = time;
    return snapshot_;
}

void DomainList::read(const Stamps &seen) {
    const bool index_there = std::any_of(seen.begin() + 2, seen.end(),
                                         [](const FileStamp &index) { return index.there; });
    const auto text = read_domain_list(files_[0]);
    const auto indexed = read_domain_list(files_[1]);
    const bool available = index_there && text && indexed;
    // A file that changed while it was read is looked at again in a second: stamps were taken
    // first.
    stamps_ = seen;
    const bool was_available = snapshot_->available();
    snapshot_ = std::make_shared<DomainSnapshot>(
        text ? *text : snapshot_->text(), indexed ? *indexed : snapshot_->indexed(), available);
    if (available && (!was_available || !looked_once_)) {
        log::say(log::Level::info, fmt::format("domain list {} read: {} entries", path_,
                                               snapshot_->text().all().size()));
    } else if (!available && (was_available || !looked_once_)) {
        log::say(log::Level::error,
                 !index_there
                     ? fmt::format("domain list {}: no index (.db, .lmdb, .cdb) is there; "
                                   "De-Mails are answered 451 until the relay has made it",
                                   path_)
                     : fmt::format("domain list {} or its companion {} cannot be read or lacks "
                                   "de-mail.de; De-Mails are answered 451",
                                   files_[0], files_[1]));
    }
}

} // namespace demail::filter
