#include "programs/ctl_setup.hpp"

#include "daemon/exit.hpp"
#include "programs/ctl_postfix_facts.hpp"
#include "programs/ctl_postfix_list.hpp"
#include "programs/ctl_screen.hpp"
#include "relay/command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace demail::ctl {

namespace {

using nlohmann::ordered_json;

ordered_json as_json(const std::vector<PostfixLine> &lines) {
    ordered_json list = ordered_json::array();
    for (const PostfixLine &one : lines)
        list.push_back({{"name", one.name},
                        {"line", one.line},
                        {"stands", one.stands},
                        {"was", one.was},
                        {"note", one.note}});
    return list;
}

/// Comments hold all but the lines to take over, so that the text may be pasted as it is.
std::string file_text(const std::vector<PostfixLine> &lines, const std::string &file) {
    const auto standing = std::count_if(lines.begin(), lines.end(),
                                        [](const PostfixLine &one) { return one.stands; });
    std::string text;
    const auto add = [&](std::string_view prefix, const std::string &line) {
        text += std::string(prefix) + visible(line) + '\n';
    };
    add("# ", file);
    if (standing > 0) {
        add("# ", "These lines stand:");
        for (const PostfixLine &one : lines)
            if (one.stands) add("#   ", one.line);
    }
    if (standing == static_cast<std::ptrdiff_t>(lines.size())) {
        add("# ", "Nothing is to be added or changed.");
        return text;
    }
    add("# ", "These are to be added, or take the place of what has the same name:");
    for (const PostfixLine &one : lines) {
        if (one.stands) continue;
        if (!one.was.empty()) add("#   now: ", one.was);
        if (!one.note.empty()) add("#   note: ", one.note);
        add("", one.line);
    }
    return text;
}

} // namespace

std::string setup_text(const PostfixLines &lines, const std::string &directory) {
    return file_text(lines.main_cf, directory + "/main.cf") + "\n" +
           file_text(lines.master_cf, directory + "/master.cf");
}

Wishes wishes_of(const Configuration &configuration, const std::string &queue_directory) {
    Wishes wishes;
    wishes.milter_socket = below_queue_directory(configuration.milter_socket, queue_directory);
    wishes.milter_path = configuration.milter_socket;
    wishes.lmtp_socket = below_queue_directory(configuration.lmtp_socket, queue_directory);
    wishes.domains = configuration.domains;
    wishes.tables = PKGDATADIR;
    constexpr std::string_view scheme = "unix:", open = "public/";
    std::string_view inbound = configuration.deliver_to;
    if (inbound.starts_with(scheme)) inbound.remove_prefix(scheme.size());
    const std::string below = below_queue_directory(std::string(inbound), queue_directory);
    // master(8) makes the socket of a public service below the queue directory, nowhere else.
    if (below.starts_with(open) && below.find('/', open.size()) == std::string::npos)
        wishes.inbound = below.substr(open.size());
    return wishes;
}

namespace {

struct Setup {
    std::string directory;
    PostfixLines lines;
};

/// Throws std::runtime_error where Postfix does not answer.
Setup look(const Configuration &configuration, std::string directory) {
    if (directory.empty()) directory = configuration.postfix_configuration;
    const PostfixFacts facts = ask_postfix(directory);
    return {facts.value("config_directory"),
            postfix_lines(facts, wishes_of(configuration, facts.value("queue_directory")))};
}

std::string json_text(const Setup &setup) {
    return ordered_json{{"directory", setup.directory},
                        {"complete", setup.lines.complete()},
                        {"main.cf", as_json(setup.lines.main_cf)},
                        {"master.cf", as_json(setup.lines.master_cf)}}
               .dump(2, ' ', true, ordered_json::error_handler_t::replace) +
           "\n";
}

void postconf(const std::string &directory, const char *option, std::vector<std::string> changes) {
    if (changes.empty()) return;
    changes.insert(changes.begin(), {"postconf", "-c", directory, option});
    const auto done = relay::run_command(changes, relay::Errors::kept);
    if (done.exit_status != 0)
        throw std::runtime_error(fmt::format(
            "postconf did not write into {}; what it wrote before stays, and demailctl setup "
            "--print says what is missing: {}",
            directory, done.errors));
}

void keep_a_copy(const std::string &file) {
    std::error_code error;
    std::filesystem::copy_file(file, file + ".before-demail",
                               std::filesystem::copy_options::overwrite_existing, error);
    if (error)
        throw std::runtime_error(fmt::format("{}.before-demail cannot be written ({}): nothing was "
                                             "changed; root may",
                                             file, error.message()));
}

void write_lines(const Setup &setup) {
    std::vector<std::string> settings, services;
    for (const PostfixLine &one : setup.lines.main_cf)
        if (!one.stands) settings.push_back(one.line);
    for (const PostfixLine &one : setup.lines.master_cf) {
        const MasterLine service(one.line);
        if (!one.stands)
            services.push_back(fmt::format("{}/{}={}", service.name, service.type, one.line));
    }
    for (const char *name : {"/main.cf", "/master.cf"})
        keep_a_copy(setup.directory + name);
    postconf(setup.directory, "-e", std::move(settings));
    postconf(setup.directory, "-M", std::move(services));
}

int failed(const std::runtime_error &error) {
    complain(error.what());
    return exit_unavailable;
}

} // namespace

int print_setup(const Configuration &configuration, std::string directory, bool json) {
    try {
        const Setup setup = look(configuration, std::move(directory));
        return print(json ? json_text(setup) : setup_text(setup.lines, setup.directory))
                   ? exit_good
                   : exit_unavailable;
    } catch (const std::runtime_error &error) {
        return failed(error);
    }
}

int apply_setup(const Configuration &configuration, std::string directory, bool json) {
    try {
        const Setup before = look(configuration, std::move(directory));
        if (!before.lines.complete()) write_lines(before);
        const Setup after = look(configuration, before.directory);
        std::string text = json ? json_text(after) : setup_text(before.lines, before.directory);
        if (!json && !before.lines.complete())
            text += fmt::format(
                "\n# Written. {0}/main.cf.before-demail and master.cf.before-demail are the files "
                "as they were.\n# Postfix uses it after: postfix -c {0} reload\n",
                before.directory);
        return print(text) && after.lines.complete() ? exit_good : exit_unavailable;
    } catch (const std::runtime_error &error) {
        return failed(error);
    }
}

} // namespace demail::ctl
