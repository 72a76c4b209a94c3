#include "admin/blocks_file.hpp"

#include "admin/guarded_file.hpp"
#include "base/file.hpp"
#include "base/handle.hpp"
#include "base/log.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace demail {

std::variant<Blocks, std::string> read_blocks(const std::string &file) {
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0 && errno == ENOENT) return Blocks{};
    auto read = read_guarded_file(file, "the list of blocks", 0022, "go-w", Blocks::longest_text);
    if (auto *sentence = std::get_if<std::string>(&read)) return std::move(*sentence);
    auto parsed = Blocks::parse(std::get<GuardedFile>(read).text);
    if (const auto *sentence = std::get_if<std::string>(&parsed))
        return fmt::format("the list of blocks {} cannot be used: {}", file, *sentence);
    return parsed;
}

std::optional<std::string> change_blocks(const std::string &file,
                                         const std::function<bool(Blocks &)> &change) {
    const auto cannot = [&](int error) {
        std::string sentence =
            fmt::format("the list of blocks {} cannot be written: {}.", file, std::strerror(error));
        if (error == EACCES || error == EPERM)
            sentence += " Root may, and who is in the group demail-admin.";
        return sentence;
    };
    // A file of its own, since the list is exchanged as a whole. Its group is its directory's.
    const std::string lock_file = file + ".lock";
    const Fd lock(::open(lock_file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0660));
    if (!lock) return cannot(errno);
    struct stat status {};
    if (::fstat(lock.get(), &status) == 0 && status.st_uid == ::geteuid())
        (void)::fchmod(lock.get(), 0660); // whatever the umask
    while (::flock(lock.get(), LOCK_EX) != 0)
        if (errno != EINTR) return cannot(errno);
    auto read = read_blocks(file);
    if (auto *sentence = std::get_if<std::string>(&read)) return std::move(*sentence);
    auto &blocks = std::get<Blocks>(read);
    if (!change(blocks)) return std::nullopt;
    try {
        replace_file(file, blocks.str(), 0644);
    } catch (const std::system_error &error) {
        return cannot(error.code().value());
    }
    return std::nullopt;
}

std::shared_ptr<const Blocks> BlocksFile::now() {
    const std::lock_guard<std::mutex> lock(mutex_);
    // What changes while it is read is read again: the stamp was taken first.
    const FileStamp seen = FileStamp::of(file_);
    if (blocks_ && seen == stamp_) return blocks_;
    stamp_ = seen;
    auto read = read_blocks(file_);
    if (auto *fresh = std::get_if<Blocks>(&read)) {
        blocks_ = std::make_shared<const Blocks>(std::move(*fresh));
        fault_.clear();
        return blocks_;
    }
    blocks_ = nullptr;
    auto &sentence = std::get<std::string>(read);
    if (sentence != fault_)
        log::say(log::Level::error, sentence + " De-Mails are answered 451 until it can.");
    fault_ = std::move(sentence);
    return nullptr;
}

std::optional<Reply> BlocksFile::bar(const Right &right, const Address &envelope_sender) {
    const auto blocks = now();
    if (!blocks)
        return Reply{451, "4.3.0",
                     "It cannot be told now whether this sender is blocked: the list of blocks "
                     "cannot be read; the administrator must look"};
    const Block *block = blocks->find(right, envelope_sender);
    return block == nullptr ? std::nullopt : std::optional(refusal(*block));
}

} // namespace demail
