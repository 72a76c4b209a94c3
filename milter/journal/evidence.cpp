#include "journal/evidence.hpp"

#include "base/file.hpp"
#include "journal/evidence_file.hpp"
#include "journal/evidence_line.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <chrono>
#include <cstring>

namespace demail::journal {

namespace {

/// What journal, replies and a second copy of the header may take while a message is at work.
constexpr std::uint64_t reserve_bytes = 16U << 20;
constexpr unsigned long reserve_files = 64;

[[noreturn]] void fail(const std::string &path, int error = errno) {
    throw Unavailable(
        fmt::format("the evidence cannot be kept: {}: {}", path, std::strerror(error)));
}

std::string place_of(const std::string &root, const Submission &submission) {
    using namespace std::chrono;
    const year_month_day day{floor<days>(sys_time<microseconds>(microseconds(submission.created)))};
    return fmt::format("{}/{:04}/{:02}/{}", root, static_cast<int>(day.year()),
                       static_cast<unsigned>(day.month()), submission.private_id.digits());
}

void sync_directory(const std::string &path) {
    const Fd opened(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!opened || ::fsync(opened.get()) != 0) fail(path);
}

} // namespace

EvidenceRecord::EvidenceRecord(const std::string &root, const Submission &submission)
    : root_(root), path_(place_of(root, submission)), new_above_(path_.size()) {}

void EvidenceRecord::open_directory() {
    if (directory_) return;
    // Year, month, submission.
    for (std::size_t end = path_.find('/', root_.size() + 1);; end = path_.find('/', end + 1)) {
        const std::string upto = path_.substr(0, end);
        if (::mkdir(upto.c_str(), 0700) == 0)
            new_above_ = std::min(new_above_, upto.rfind('/'));
        else if (errno != EEXIST)
            fail(upto);
        if (end == std::string::npos) break;
    }
    directory_.reset(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!directory_) fail(path_);
    lines_ = open_lines(directory_.get());
    if (!lines_) fail(path_ + "/attempts.jsonl");
}

void EvidenceRecord::begin(const HandOver &hand_over, const Submission &submission,
                           const FileRegion &received, std::string_view header,
                           const FileRegion &body, Time at) {
    open_directory();
    unsynced_ = true;
    // The one of the first attempt stays: a later one differs in Postfix's trace fields alone.
    if (!link_or_copy(directory_.get(), "received.eml", received)) fail(path_ + "/received.eml");
    std::string name = "submitted.eml";
    for (int number = 2; !holds(directory_.get(), name, header, body.length); ++number) {
        if (put_file(directory_.get(), name, header, body)) break;
        if (errno != EEXIST) fail(path_ + "/" + name);
        name = fmt::format("submitted-{}.eml", number);
    }
    add_line(line_of_begin(hand_over, submission, name, at));
}

void EvidenceRecord::sending(std::string_view request) {
    open_directory();
    if (request_ != request) { // libcurl may send a question again on a connection of its own
        number_.clear();
        for (int number = 2; !put_file(directory_.get(), "request" + number_ + ".xml", request, {});
             ++number) {
            if (errno != EEXIST) fail(path_ + "/request" + number_ + ".xml");
            number_ = fmt::format("-{}", number);
        }
        request_ = request;
    }
    sync_lines();
    sync_directories();
}

void EvidenceRecord::answered(std::string_view reply) noexcept {
    try {
        const std::string name = "reply" + number_ + ".xml";
        if (!directory_ || !put_file(directory_.get(), name, reply, {}))
            fault_ = fmt::format("{}/{}: {}", path_, name, std::strerror(errno));
        unsynced_ = true;
    } catch (const std::exception &) { // no memory: the lines say that there was a reply
        fault_.clear();
    }
}

void EvidenceRecord::end(const Submission &submission, std::string_view detail, Time at) {
    open_directory();
    add_line(
        line_of_end(submission, detail, request_.empty() ? "" : "request" + number_ + ".xml", at));
    sync_lines();
    if (unsynced_) sync_directories();
    if (!fault_.empty()) throw Unavailable("the evidence cannot be kept: " + fault_);
}

void EvidenceRecord::add_line(const std::string &line) {
    if (!write_whole(lines_.get(), line)) fail(path_ + "/attempts.jsonl");
}

void EvidenceRecord::sync_lines() {
    if (::fdatasync(lines_.get()) != 0) fail(path_ + "/attempts.jsonl");
}

void EvidenceRecord::sync_directories() {
    if (::fsync(directory_.get()) != 0) fail(path_);
    for (std::size_t end = path_.rfind('/'); end != std::string::npos && end >= new_above_;
         end = path_.rfind('/', end - 1)) {
        sync_directory(path_.substr(0, end));
        if (end == root_.size()) break;
    }
    new_above_ = path_.size();
    unsynced_ = false;
}

Evidence::Evidence(std::string root) : root_(std::move(root)) {
    if (::mkdir(root_.c_str(), 0700) == 0)
        sync_directory(root_.substr(0, root_.rfind('/') + 1));
    else if (errno != EEXIST)
        fail(root_);
    struct stat status {};
    if (::stat(root_.c_str(), &status) != 0) fail(root_);
    if (!S_ISDIR(status.st_mode)) fail(root_, ENOTDIR);
    if ((status.st_mode & 077) != 0)
        throw Unavailable(fmt::format("the evidence is open to others: {} has the mode {:o}; chmod "
                                      "700 mends that",
                                      root_, status.st_mode & 07777U));
}

void Evidence::require_room(std::uint64_t bytes) const {
    struct statvfs status {};
    if (::statvfs(root_.c_str(), &status) != 0) fail(root_);
    const std::uint64_t room = static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
    const bool files = status.f_files == 0 || status.f_favail >= reserve_files;
    if (room < bytes + reserve_bytes || !files) fail(root_, ENOSPC);
}

} // namespace demail::journal
