#include "broker/audit.hpp"

#include "base/file.hpp"
#include "base/log.hpp"
#include "broker/words.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace demail::broker {
namespace {

/// Then the file gets a name with its first line's number and a new one begins.
constexpr std::uint64_t largest_file = 64U << 20;
constexpr std::string_view chain_word = " chain=\"";
constexpr std::size_t chain_length = chain_word.size() + 64 + 1;

[[noreturn]] void fail(const std::string &path) {
    throw std::system_error(errno, std::generic_category(), path);
}

std::string moment() {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text;
}

/// Of a line without its chain and end, after `before`.
Digest256 chained(const Digest256 &before, std::string_view line) {
    Sha256 hash;
    hash.update(view(before));
    hash.update(line);
    return hash.finish();
}

/// The whole lines' last one; nullopt where there is none.
std::optional<std::string_view> last_line(std::string_view text) {
    if (text.empty()) return std::nullopt;
    text.remove_suffix(1); // its end
    const std::size_t before = text.rfind('\n');
    return before == std::string_view::npos ? text : text.substr(before + 1);
}

/// Counter and hash as a line says them; nullopt where it is none of the log's.
std::optional<AuditHead> head_of(std::string_view line) {
    const auto words = parse_words(line);
    if (!words) return std::nullopt;
    const auto lines = number(*words, "n");
    const auto chain = word(*words, "chain");
    if (!lines || *lines < 1 || !chain) return std::nullopt;
    const auto bytes = from_hex(*chain);
    if (!bytes || bytes->size() != 32) return std::nullopt;
    AuditHead head;
    head.lines = static_cast<std::uint64_t>(*lines);
    std::copy(bytes->begin(), bytes->end(), head.hash.begin());
    return head;
}

std::string rotated_name(std::uint64_t first) {
    return fmt::format("audit-{:018}.log", first);
}

/// The names of the log's files, oldest first; audit.log is the last.
std::vector<std::string> log_files(const std::string &directory) {
    std::vector<std::string> names;
    const Handle<DIR, ::closedir> opened(::opendir(directory.c_str()));
    if (!opened) fail(directory);
    while (const dirent *entry = ::readdir(opened.get())) {
        const std::string name = entry->d_name;
        if (name.size() == rotated_name(0).size() && name.starts_with("audit-") &&
            name.ends_with(".log"))
            names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    names.emplace_back("audit.log");
    return names;
}

/// The end of the last file that has a line.
AuditHead head_of_files(const std::string &directory) {
    const auto names = log_files(directory);
    for (auto name = names.rbegin(); name != names.rend(); ++name) {
        const std::string path = directory + "/" + *name;
        const auto text = read_file(path, 2 * largest_file);
        const auto line = text ? last_line(*text) : std::nullopt;
        if (!line) continue;
        if (const auto head = head_of(*line)) return *head;
        throw std::runtime_error("the last line of " + path + " is none of an audit log");
    }
    return {};
}

} // namespace

AuditLog::AuditLog(std::string directory) : directory_(std::move(directory)) {
    open_file();
    head_ = head_of_files(directory_);
}

void AuditLog::open_file() {
    const std::string path = directory_ + "/audit.log";
    file_ = Fd(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
    struct stat status {};
    if (!file_ || ::fstat(file_.get(), &status) != 0) fail(path);
    if (!S_ISREG(status.st_mode)) throw std::runtime_error(path + " is no regular file");
    bytes_ = static_cast<std::uint64_t>(status.st_size);
    if (bytes_ == 0) return;
    const auto text = read_file(path, 2 * largest_file);
    const std::size_t whole = text ? text->rfind('\n') + 1 : 0; // npos + 1 is 0
    if (!text || whole == text->size()) return;
    log::say(log::Level::warning,
             fmt::format("{} ended amid a line, {} octets were cut off: was the host switched off?",
                         path, text->size() - whole));
    if (::ftruncate(file_.get(), static_cast<off_t>(whole)) != 0) fail(path);
    bytes_ = whole;
}

void AuditLog::rotate() {
    const std::string path = directory_ + "/audit.log";
    const auto text = read_file(path, 2 * largest_file);
    const auto first =
        text ? head_of(std::string_view(*text).substr(0, text->find('\n'))) : std::nullopt;
    if (!first) throw std::runtime_error("the first line of " + path + " is none of an audit log");
    if (::fdatasync(file_.get()) != 0) fail(path);
    const std::string aside = directory_ + "/" + rotated_name(first->lines);
    if (::rename(path.c_str(), aside.c_str()) != 0) fail(aside);
    open_file();
}

AuditHead AuditLog::append(const AuditEntry &entry) {
    const std::lock_guard lock(mutex_);
    if (bytes_ >= largest_file) rotate();
    std::string line = fmt::format(
        R"(n="{}" time="{}" act="{}" uid="{}" pid="{}" card="{}" key="{}" mechanism="{}" input="{}" result="{}")",
        head_.lines + 1, moment(), log::escaped(entry.act), entry.uid, entry.pid,
        log::escaped(entry.card), log::escaped(entry.key), log::escaped(entry.mechanism),
        entry.input.empty() ? "" : hex(view(sha256(entry.input))), log::escaped(entry.result));
    const Digest256 hash = chained(head_.hash, line);
    line += fmt::format("{}{}\"\n", chain_word, hex(view(hash)));
    const ssize_t written = ::write(file_.get(), line.data(), line.size());
    if (written != static_cast<ssize_t>(line.size())) {
        const int error = written < 0 ? errno : ENOSPC;
        // Half a line would be taken for tampering.
        if (written > 0 && ::ftruncate(file_.get(), static_cast<off_t>(bytes_)) != 0)
            log::say(log::Level::error, "The audit log has a half line that cannot be cut off.");
        throw std::system_error(error, std::generic_category(), directory_ + "/audit.log");
    }
    bytes_ += line.size();
    dirty_ = true;
    head_ = {head_.lines + 1, hash};
    return head_;
}

AuditHead AuditLog::head() const {
    const std::lock_guard lock(mutex_);
    return head_;
}

void AuditLog::sync() {
    const std::lock_guard lock(mutex_);
    if (!dirty_) return;
    if (::fdatasync(file_.get()) != 0) fail(directory_ + "/audit.log");
    dirty_ = false;
}

AuditCheck check_audit_text(std::string_view text, AuditHead from) {
    AuditCheck check{false, from, {}};
    const auto bad = [&](const char *why) {
        check.sentence = fmt::format("line {} {}", check.head.lines + 1, why);
        return check;
    };
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        if (end == std::string_view::npos) return bad("has no end");
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(end + 1);
        const auto head = head_of(line);
        if (!head || line.size() < chain_length ||
            !line.substr(line.size() - chain_length).starts_with(chain_word))
            return bad("is none of an audit log");
        if (head->lines != check.head.lines + 1) return bad("is missing");
        if (chained(check.head.hash, line.substr(0, line.size() - chain_length)) != head->hash)
            return bad("does not follow from the one before: it or an earlier one was changed");
        check.head = *head;
    }
    check.good = true;
    return check;
}

AuditCheck check_audit(const std::string &directory) {
    AuditCheck check{true, {}, {}};
    for (const std::string &name : log_files(directory)) {
        const auto text = read_file(directory + "/" + name, 2 * largest_file);
        if (!text) continue;
        check = check_audit_text(*text, check.head);
        if (!check.good) {
            check.sentence = fmt::format("{}/{}: {}", directory, name, check.sentence);
            return check;
        }
    }
    if (check.head.lines == 0) check.sentence = directory + " holds no line";
    return check;
}

} // namespace demail::broker
