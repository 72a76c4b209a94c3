// demailctl test-address: what the milter would say of one recipient, and which rule decides.
#pragma once

#include "admin/configuration.hpp"
#include "filter/domain_list.hpp"
#include "message/blocks.hpp"
#include "message/ended_providers.hpp"
#include "message/reply.hpp"

#include <memory>
#include <optional>
#include <string>

namespace demail::ctl {

struct AddressQuestion {
    std::string recipient, from; ///< as RCPT and MAIL would have them; "" is the null sender
    std::string login;           ///< SASL user; "" for none
    std::string client;          ///< IP address; "" where it does not matter
    bool local = false;          ///< sendmail(1)
};

struct AddressAnswer {
    enum class Kind { may, refused, not_now, not_demail };
    Kind kind = Kind::not_demail;
    std::optional<bool> demail;  ///< nullopt: no address that can be read
    std::optional<Reply> relays; ///< the relay's, where the domain has ended or is hinted
    std::string recipient;       ///< in normal form, or as asked where it is no address
    std::optional<Reply> reply;  ///< the milter's, where it refuses
    std::string sentence;        ///< what happens, where the reply does not say it
    std::shared_ptr<const SenderRule> rule; ///< that decides
    std::size_t number = 0; ///< of that rule among its account's in demail.toml, from 1; 0: none
    std::optional<Address> sender; ///< the De-Mail address
    std::optional<Block> block;    ///< that stands against the rule
};

/// Asks the milter's own session, so that the words are its own.
[[nodiscard]] AddressAnswer judge_address(const AddressQuestion &question,
                                          const Configuration &configuration,
                                          std::shared_ptr<filter::DomainList> domains,
                                          const EndedProviders &ended = {});
/// `from = "*@firm.example", as = "*@firm.de-mail.de", login = "*"`
[[nodiscard]] std::string rule_text(const SenderRule &rule);

/// Exit code: 0 may, 1 refused, 2 not De-Mail, 75 not known now.
[[nodiscard]] int test_address(const AddressQuestion &question, const Configuration &configuration,
                               bool json);

} // namespace demail::ctl
