#include "programs/ctl_postfix_facts.hpp"

#include "relay/command.hpp"

#include <algorithm>
#include <stdexcept>

namespace demail::ctl {

namespace {

std::string postconf(const std::string &directory, const std::vector<std::string> &arguments) {
    std::vector<std::string> argv{"postconf"};
    if (!directory.empty()) argv.insert(argv.end(), {"-c", directory});
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    auto asked = relay::run_command(argv, relay::Errors::kept);
    if (asked.exit_status != 0)
        throw std::runtime_error("postconf does not tell what stands in " +
                                 (directory.empty() ? "Postfix's configuration" : directory) +
                                 ": is Postfix installed, and may you read its configuration?" +
                                 (asked.errors.empty() ? "" : " " + asked.errors));
    return std::move(asked.output);
}

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        if (end > 0) lines.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

} // namespace

PostfixFacts ask_postfix(const std::string &directory) {
    PostfixFacts facts;
    facts.settings = PostfixFacts::parse(postconf(directory, {}));
    facts.expanded = PostfixFacts::parse(postconf(directory, {"-x"}));
    facts.services = lines_of(postconf(directory, {"-M"}));
    facts.overrides = PostfixFacts::parse(postconf(directory, {"-Px"}));
    return facts;
}

} // namespace demail::ctl
