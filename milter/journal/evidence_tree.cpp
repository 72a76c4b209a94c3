#include "journal/evidence_tree.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace demail::journal {

namespace {

[[noreturn]] void fail(const std::string &path, int error = errno) {
    throw Unavailable(
        fmt::format("the evidence cannot be read: {}: {}", path, std::strerror(error)));
}

bool all_of(std::string_view text, std::size_t length, std::string_view letters) {
    return text.size() == length && text.find_first_not_of(letters) == std::string_view::npos;
}

/// None where it is no directory.
Fd open_directory(int parent, const std::string &name, const std::string &path) {
    Fd opened(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!opened && errno != ENOTDIR && errno != ELOOP && errno != ENOENT) fail(path);
    return opened;
}

using Visit = std::function<void(int directory, const std::string &name, const std::string &path)>;

void walk_named(int parent, const std::string &above, std::size_t length, std::string_view letters,
                const Visit &visit) {
    for (const std::string &name : entries_of(parent, above)) {
        if (!all_of(name, length, letters)) continue;
        const std::string path = above + "/" + name;
        if (const Fd directory = open_directory(parent, name, path))
            visit(directory.get(), name, path);
    }
}

} // namespace

std::vector<std::string> entries_of(int directory, const std::string &path) {
    // A description of its own: a duplicate would share the place in the list.
    const int again = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (again < 0) fail(path);
    const Handle<DIR, ::closedir> list(::fdopendir(again));
    if (!list) {
        const int error = errno;
        ::close(again);
        fail(path, error);
    }
    std::vector<std::string> names;
    errno = 0;
    while (const dirent *entry = ::readdir(list.get())) {
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") names.emplace_back(name);
    }
    if (errno != 0) fail(path);
    std::sort(names.begin(), names.end());
    return names;
}

void walk_evidence(const std::string &root, const std::string &upto,
                   const std::function<void(const EvidenceDirectory &)> &visit) {
    constexpr std::string_view digits = "0123456789", hex_digits = "0123456789abcdef";
    const Fd top(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!top) fail(root);
    walk_named(top.get(), root, 4, digits,
               [&](int year, const std::string &year_name, const std::string &year_path) {
                   walk_named(year, year_path, 2, digits,
                              [&](int month, const std::string &name, const std::string &path) {
                                  if (!upto.empty() && year_name + "/" + name > upto) return;
                                  walk_named(month, path, 40, hex_digits,
                                             [&](int directory, const std::string &id,
                                                 const std::string &place) {
                                                 visit({place, id, directory});
                                             });
                              });
               });
}

Fd open_file(const EvidenceDirectory &directory, const std::string &name) {
    Fd file(::openat(directory.fd, name.c_str(),
                     O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!file) {
        if (errno != ENOENT && errno != ELOOP && errno != ENXIO) fail(directory.path + "/" + name);
        return file;
    }
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) fail(directory.path + "/" + name);
    return S_ISREG(status.st_mode) ? std::move(file) : Fd();
}

std::optional<EvidenceReader> lines_of(const EvidenceDirectory &directory) {
    const Fd file = open_file(directory, "attempts.jsonl");
    if (!file) return std::nullopt;
    EvidenceReader reader;
    std::string line, buffer(64 * 1024, '\0');
    std::size_t all = 0;
    bool too_long = false;
    for (;;) {
        const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) fail(directory.path + "/attempts.jsonl");
        if (got == 0) break;
        for (std::string_view rest(buffer.data(), static_cast<std::size_t>(got));;) {
            const std::size_t end = rest.find('\n');
            too_long = too_long || line.size() + std::min(end, rest.size()) > longest_evidence_line;
            if (!too_long) line += rest.substr(0, end);
            if (end == std::string_view::npos) break;
            if (too_long)
                reader.miss();
            else
                reader.read(line);
            line.clear();
            too_long = false;
            rest.remove_prefix(end + 1);
        }
        all += static_cast<std::size_t>(got);
        if (all > most_evidence_octets) {
            reader.miss();
            break;
        }
    }
    if (!line.empty() || too_long) reader.miss();
    return reader;
}

std::optional<Kept> told_by(const EvidenceDirectory &directory) {
    const auto lines = lines_of(directory);
    if (!lines || !lines->told() ||
        lines->told()->submission.private_id.digits() != directory.digits)
        return std::nullopt;
    return lines->told();
}

} // namespace demail::journal
