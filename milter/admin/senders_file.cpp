#include "admin/senders_file.hpp"

#include "admin/guarded_file.hpp"
#include "base/log.hpp"

#include <fmt/format.h>

#include <utility>

namespace demail {

namespace {

/// A clock may be a little wrong; a file from the future would never grow old.
constexpr std::int64_t clock_skew = 300;

} // namespace

std::variant<SendersRead, std::vector<ConfigurationFault>>
read_senders(const SenderTable::Owner &owner, const std::shared_ptr<const SenderTable> &known) {
    std::vector<ConfigurationFault> faults;
    auto read = read_guarded_file(owner.file, "the file of senders", 0022, "go-w",
                                  SenderTable::longest_text);
    if (auto *sentence = std::get_if<std::string>(&read)) {
        faults.push_back({owner.file, 0, 0, std::move(*sentence)});
        return faults;
    }
    auto &file = std::get<GuardedFile>(read);
    const std::int64_t modified = file.status.st_mtim.tv_sec;
    if (known && known->owner() == owner && known->text() == file.text)
        return SendersRead{known, modified};
    auto parsed = SenderTable::parse(std::move(file.text), owner);
    if (auto *table = std::get_if<std::shared_ptr<const SenderTable>>(&parsed))
        return SendersRead{std::move(*table), modified};
    for (auto &fault : std::get<std::vector<SenderTable::Fault>>(parsed))
        faults.push_back({owner.file, fault.line, 0, std::move(fault.sentence)});
    return faults;
}

std::optional<std::string> too_old(const std::string &file, std::int64_t modified, std::int64_t now,
                                   const std::optional<std::chrono::seconds> &max_age) {
    if (!max_age) return std::nullopt;
    if (modified > now + clock_skew)
        return fmt::format("the file of senders {} is dated {} s in the future: its age cannot be "
                           "told, so that it is not believed; set the clock.",
                           file, modified - now);
    if (now - modified <= max_age->count()) return std::nullopt;
    return fmt::format("the file of senders {} is {} s old and is not believed after {} s: see why "
                       "it was not written again.",
                       file, now - modified, max_age->count());
}

SendersFile::SendersFile(SenderTable::Owner owner, std::optional<std::chrono::seconds> max_age,
                         Clocks clocks)
    : owner_(std::move(owner)), max_age_(max_age), clocks_(std::move(clocks)) {}

std::shared_ptr<const SenderTable> SendersFile::now() {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto time = clocks_.steady();
    if (!looked_once_ || time - looked_ >= std::chrono::seconds(1)) {
        const FileStamp seen = FileStamp::of(owner_.file);
        if (!looked_once_ || seen != stamp_) read(seen);
        looked_once_ = true;
        looked_ = time;
    }
    judge_age();
    return old_ ? nullptr : good_.table;
}

void SendersFile::read(const FileStamp &seen) {
    // What changes while it is read is looked at again in a second: the stamp was taken first.
    stamp_ = seen;
    auto outcome = read_senders(owner_, good_.table);
    if (auto *fresh = std::get_if<SendersRead>(&outcome)) {
        const bool changed = fresh->table != good_.table;
        good_ = std::move(*fresh);
        if (changed)
            log::say(log::Level::info, fmt::format("file of senders {} read: {} rules", owner_.file,
                                                   good_.table->size()));
        return;
    }
    for (const ConfigurationFault &fault : std::get<std::vector<ConfigurationFault>>(outcome))
        log::say(log::Level::error, fault.str());
    log::say(log::Level::error,
             good_.table
                 ? fmt::format("file of senders {}: the rules that were read before stay in "
                               "force",
                               owner_.file)
                 : fmt::format("file of senders {}: no rules are known; De-Mails that it "
                               "might allow are answered 451",
                               owner_.file));
}

void SendersFile::judge_age() {
    if (!good_.table) return;
    const auto why = too_old(owner_.file, good_.modified, clocks_.unix_time(), max_age_);
    if (why && !old_)
        log::say(log::Level::error, *why + " De-Mails that it might allow are answered 451.");
    else if (!why && old_)
        log::say(log::Level::info, fmt::format("file of senders {} is new again", owner_.file));
    old_ = why.has_value();
}

} // namespace demail
