#include "base/log.hpp"
#include "daemon/exit.hpp"
#include "journal/evidence_file.hpp"
#include "journal/purge.hpp"
#include "programs/ctl_evidence.hpp"
#include "programs/ctl_screen.hpp"
#include "programs/ctl_time.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

namespace demail::ctl {

namespace {

using nlohmann::ordered_json;

constexpr std::size_t digits_in_all = 40, fewest_digits = 8;

/// The hex digits of a private-id, its "g1-" part or a beginning of it; "" where it is none.
std::string digits_of(std::string_view id) {
    id = id.substr(0, id.find(';'));
    if (id.starts_with("g1-")) id.remove_prefix(3);
    const bool good = id.size() >= fewest_digits && id.size() <= digits_in_all &&
                      id.find_first_not_of("0123456789abcdef") == std::string_view::npos;
    return good ? std::string(id) : "";
}

[[noreturn]] void fail(const std::string &path) {
    throw std::runtime_error(path + ": " + std::strerror(errno));
}

/// How many files were copied. Nothing but regular files is.
std::size_t copy_all(const journal::EvidenceDirectory &from, const std::string &to) {
    if (::mkdir(to.c_str(), 0700) != 0) fail(to);
    const Fd directory(::open(to.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!directory) fail(to);
    std::size_t count = 0;
    for (const std::string &name : journal::entries_of(from.fd, from.path)) {
        const Fd file = journal::open_file(from, name);
        struct stat status {};
        if (!file) continue;
        if (::fstat(file.get(), &status) != 0) fail(from.path + "/" + name);
        if (!journal::put_file(directory.get(), name, {},
                               {file.get(), 0, static_cast<std::uint64_t>(status.st_size)}))
            fail(to + "/" + name);
        ++count;
    }
    if (::fsync(directory.get()) != 0) fail(to);
    return count;
}

} // namespace

int export_evidence(const Configuration &configuration, const EvidenceWords &words, bool json) {
    const std::string digits = digits_of(words.id);
    if (digits.empty())
        return evidence_refusal(
            "an id is a private-id, or the beginning of one with at least 8 hex "
            "digits",
            json, exit_usage);
    log::open_record("demailctl");
    try {
        std::vector<std::string> found;
        Fd opened;
        journal::walk_evidence(configuration.evidence, "",
                               [&](const journal::EvidenceDirectory &directory) {
                                   if (!directory.digits.starts_with(digits)) return;
                                   found.push_back(directory.path);
                                   opened.reset(::fcntl(directory.fd, F_DUPFD_CLOEXEC, 0));
                               });
        if (found.empty())
            return evidence_refusal("there is no evidence of " + words.id, json, exit_bad);
        if (found.size() > 1)
            return evidence_refusal("more than one submission begins like that; give more digits",
                                    json, exit_bad);
        const journal::EvidenceDirectory directory{
            found.front(), found.front().substr(found.front().rfind('/') + 1), opened.get()};
        if (const auto purged = journal::purged_at(directory))
            return evidence_refusal(
                fmt::format("its content was removed on {}; {}/purged.json says what it was",
                            local_time(*purged), directory.path),
                json, exit_bad);
        const std::string private_id = "g1-" + directory.digits;
        // Before the first file: what cannot be copied to its end may have been read all the same.
        log::event(log::Level::notice, "content_read",
                   {{"private_id", private_id}, {"uid", std::to_string(acting_user())}});
        const std::size_t count = copy_all(directory, words.directory);
        const ordered_json answer{
            {"privateId", private_id}, {"directory", words.directory}, {"files", count}};
        const std::string text =
            json ? answer.dump(2, ' ', true, ordered_json::error_handler_t::replace) + "\n"
                 : fmt::format("{} files of {} are in {}\n", count, private_id,
                               visible(words.directory));
        return print(text) ? exit_good : exit_unavailable;
    } catch (const std::runtime_error &error) {
        return evidence_refusal(error.what(), json, exit_unavailable);
    }
}

} // namespace demail::ctl
