#include "relay/domain_questions.hpp"

#include "dns/de_mail_srv.hpp"
#include "message/address.hpp"
#include "relay/command.hpp"

#include <memory>
#include <sstream>
#include <stdexcept>

namespace demail::relay {

namespace {

std::vector<std::string> postfix_command(const char *program, const Configuration &configuration) {
    std::vector<std::string> argv{program};
    if (!configuration.postfix_configuration.empty())
        argv.insert(argv.end(), {"-c", configuration.postfix_configuration});
    return argv;
}

struct OwnDomains {
    Domains names;
    std::vector<std::string> tables;
    const Configuration configuration;
    std::shared_ptr<const SenderRules> senders;

    [[nodiscard]] bool has(const std::string &domain) const {
        if (names.contains(domain) || senders->names_domain(domain)) return true;
        for (const std::string &table : tables) {
            auto argv = postfix_command("postmap", configuration);
            argv.insert(argv.end(), {"-q", domain, table});
            const auto asked = run_command(argv);
            if (asked.exit_status == 0) return true;
            if (asked.exit_status != 1) throw std::runtime_error("postmap -q " + table + " failed");
        }
        return false;
    }
};

OwnDomains own_domains(const Configuration &configuration,
                       std::shared_ptr<const SenderRules> senders) {
    OwnDomains own{{}, {}, configuration, std::move(senders)};
    auto argv = postfix_command("postconf", configuration);
    argv.insert(argv.end(), {"-x", "-h", "mydestination", "virtual_alias_domains",
                             "virtual_mailbox_domains", "relay_domains"});
    const auto asked = run_command(argv);
    if (asked.exit_status != 0) throw std::runtime_error("postconf does not name our own domains");
    std::string text = asked.output;
    for (char &c : text)
        if (c == ',') c = ' ';
    std::istringstream words(text);
    for (std::string word; words >> word;) {
        if (word.find(':') != std::string::npos)
            own.tables.push_back(word);
        else if (const auto domain = normal_domain(word))
            own.names.insert(*domain);
    }
    return own;
}

} // namespace

DomainQuestions questions_to_the_world(const Configuration &configuration,
                                       std::shared_ptr<const SenderRules> senders) {
    auto own = std::make_shared<const OwnDomains>(own_domains(configuration, std::move(senders)));
    return {
        [own](const std::string &domain) { return own->has(domain); },
        [](const std::string &domain) { return dns::ask_srv(domain) == dns::SrvAnswer::de_mail; }};
}

} // namespace demail::relay
