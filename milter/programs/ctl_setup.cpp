#include "programs/ctl_setup.hpp"

#include "daemon/exit.hpp"
#include "programs/ctl_postfix_facts.hpp"
#include "programs/ctl_screen.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <stdexcept>

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

int print_setup(const Configuration &configuration, std::string directory, bool json) {
    if (directory.empty()) directory = configuration.postfix_configuration;
    PostfixFacts facts;
    try {
        facts = ask_postfix(directory);
    } catch (const std::runtime_error &error) {
        std::fputs(("demailctl: " + visible(error.what()) + "\n").c_str(), stderr);
        return exit_unavailable;
    }
    const auto lines =
        postfix_lines(facts, wishes_of(configuration, facts.value("queue_directory")));
    const std::string where = facts.value("config_directory");
    const std::string text =
        json ? ordered_json{{"directory", where},
                            {"complete", lines.complete()},
                            {"main.cf", as_json(lines.main_cf)},
                            {"master.cf", as_json(lines.master_cf)}}
                       .dump(2, ' ', true, ordered_json::error_handler_t::replace) +
                   "\n"
             : setup_text(lines, where);
    return print(text) ? exit_good : exit_unavailable;
}

} // namespace demail::ctl
