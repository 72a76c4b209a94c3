#include "relay/domain_questions.hpp"

#include "message/address.hpp"
#include "relay/command.hpp"

#include <arpa/nameser.h>
#include <netinet/in.h>
#include <resolv.h>

#include <array>
#include <memory>
#include <sstream>
#include <stdexcept>

namespace demail::relay {

namespace {

constexpr unsigned de_mail_port = 1465;

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
    return {[own](const std::string &domain) { return own->has(domain); }, has_de_mail_srv};
}

bool is_de_mail_srv(std::string_view answer) {
    ns_msg message;
    if (answer.size() > NS_MAXMSG ||
        ::ns_initparse(reinterpret_cast<const unsigned char *>(answer.data()),
                       static_cast<int>(answer.size()), &message) != 0)
        return false;
    for (int i = 0; i < ns_msg_count(message, ns_s_an); ++i) {
        ns_rr record;
        if (::ns_parserr(&message, ns_s_an, i, &record) != 0) return false;
        // RFC 2782: priority, weight, port, two bytes each, then the target.
        if (ns_rr_type(record) == ns_t_srv && ns_rr_rdlen(record) > 6 &&
            ns_get16(ns_rr_rdata(record) + 4) == de_mail_port)
            return true;
    }
    return false;
}

bool has_de_mail_srv(const std::string &domain) {
    struct __res_state state {};
    if (::res_ninit(&state) != 0) return false;
    const std::unique_ptr<struct __res_state, void (*)(struct __res_state *)> closing(
        &state, [](struct __res_state *opened) { ::res_nclose(opened); });
    state.retrans = 2;
    state.retry = 1;
    std::array<unsigned char, 4096> answer{};
    const std::string name = "_smtp._tcp." + domain;
    const int length = ::res_nquery(&state, name.c_str(), ns_c_in, ns_t_srv, answer.data(),
                                    static_cast<int>(answer.size()));
    return length > 0 && length <= static_cast<int>(answer.size()) &&
           is_de_mail_srv(
               {reinterpret_cast<const char *>(answer.data()), static_cast<std::size_t>(length)});
}

} // namespace demail::relay
