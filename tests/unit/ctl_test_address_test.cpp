// What demailctl test-address says of a recipient.
#include "admin/configuration.hpp"
#include "base/log.hpp"
#include "check.hpp"
#include "programs/ctl_test_address.hpp"
#include "temporary_directory.hpp"

#include <fstream>

using namespace demail;
using ctl::AddressAnswer;
using Kind = AddressAnswer::Kind;

namespace {

constexpr const char *rules = R"(
[[provider]]
name = "p"
profile = "reference"
endpoint = "https://provider.example/demail"
ca_file = "/nonexistent/ca.pem"
reply_signer = ["/nonexistent/signer.pem"]
auth_key = "pkcs11:object=demail-auth"
[[account]]
name = "other"
provider = "p"
domains = ["other.de-mail.de"]
[[account.sender]]
from = "boss@firm.example"
as = "boss@other.de-mail.de"
login = "boss"
[[account]]
name = "firm"
provider = "p"
domains = ["firm.de-mail.de"]
[[account.sender]]
from = "root@firm.example"
as = "system@firm.de-mail.de"
local = true
[[account.sender]]
from = "*@firm.example"
as = "*@firm.de-mail.de"
login = "*"
[[account.sender]]
from = "*@netz.example"
as = "*@firm.de-mail.de"
network = ["10.0.0.0/8"]
)";

constexpr const char *builtin = ".de-mail.de active\nde-mail.de active\n";

void write(const std::string &file, const std::string &text) {
    std::ofstream(file) << text;
}

/// The answer where the list holds `text` and the index was made from `indexed`.
struct Gateway {
    test::TemporaryDirectory directory;
    Configuration configuration;

    explicit Gateway(const std::string &text = "", const std::string &indexed = "",
                     bool index_there = true) {
        auto read = parse_configuration(rules, "demail.toml");
        if (const auto *faults = std::get_if<std::vector<ConfigurationFault>>(&read))
            throw std::runtime_error(faults->front().str());
        configuration = std::get<Configuration>(std::move(read));
        configuration.domains = directory.path() + "/domains";
        write(configuration.domains, builtin + text);
        write(configuration.domains + ".indexed", builtin + indexed);
        if (index_there) write(configuration.domains + ".db", "index");
    }

    AddressAnswer ask(const ctl::AddressQuestion &question,
                      const EndedProviders &ended = {}) const {
        return ctl::judge_address(question, configuration,
                                  std::make_shared<filter::DomainList>(configuration.domains),
                                  ended);
    }
};

constexpr const char *bob = "bob@other.de-mail.de";

} // namespace

static void the_rule_that_decides_is_named_with_its_account() {
    const Gateway gateway;
    const auto answer = gateway.ask({bob, "Anna@Firm.Example", "anna", "", false});
    CHECK(answer.kind == Kind::may);
    CHECK(!answer.reply);
    CHECK_EQUAL(answer.rule->account, "firm");
    CHECK_EQUAL(answer.number, 2U);
    CHECK_EQUAL(answer.sender->lower(), "anna@firm.de-mail.de");
    CHECK_EQUAL(ctl::rule_text(*answer.rule),
                "from = \"*@firm.example\", as = \"*@firm.de-mail.de\", login = \"*\"");
    CHECK_EQUAL(gateway.ask({bob, "boss@firm.example", "boss", "", false}).rule->account, "other");
}

static void a_sender_without_a_right_is_refused_in_the_milters_words() {
    const auto answer = Gateway().ask({bob, "anna@firm.example", "bert", "", false});
    CHECK(answer.kind == Kind::refused);
    CHECK_EQUAL(answer.reply->enhanced, "5.7.1");
    CHECK(answer.reply->text.find(
              "anna@firm.example may not send De-Mail from this client with the login bert;") !=
          std::string::npos);
    CHECK(answer.rule == nullptr);
}

static void the_null_sender_is_refused() {
    const auto answer = Gateway().ask({bob, "", "anna", "", false});
    CHECK(answer.kind == Kind::refused);
    CHECK_EQUAL(answer.reply->enhanced, "5.7.1");
}

static void the_clients_network_decides() {
    const Gateway gateway;
    CHECK(gateway.ask({bob, "eva@netz.example", "", "10.1.2.3", false}).kind == Kind::may);
    CHECK(gateway.ask({bob, "eva@netz.example", "", "192.0.2.1", false}).kind == Kind::refused);
    CHECK(gateway.ask({bob, "eva@netz.example", "", "", false}).kind == Kind::refused);
}

static void sendmail_has_local_rules_alone() {
    const Gateway gateway;
    const auto may = gateway.ask({bob, "root@firm.example", "", "", true});
    CHECK(may.kind == Kind::may);
    CHECK_EQUAL(may.number, 1U);
    CHECK_EQUAL(may.sender->lower(), "system@firm.de-mail.de");
    // Postfix takes it, so there is no reply of the milter's to quote.
    const auto bounced = gateway.ask({bob, "anna@firm.example", "", "", true});
    CHECK(bounced.kind == Kind::refused);
    CHECK(!bounced.reply);
    CHECK(bounced.sentence.find("bounces") != std::string::npos);
    // What the transport map would miss is refused at the end of the header.
    const auto hidden = gateway.ask({"bob@other.de-mail。de", "a@firm.example", "", "", true});
    CHECK(hidden.kind == Kind::refused);
    CHECK_EQUAL(hidden.reply->enhanced, "5.1.3");
}

static void ordinary_addresses_are_not_de_mail() {
    const auto answer = Gateway().ask({"ida@internet.example", "anna@firm.example", "", "", false});
    CHECK(answer.kind == Kind::not_demail);
    CHECK(!answer.reply);
    CHECK(answer.rule == nullptr);
}

static void a_domain_that_has_ended_is_refused() {
    const std::string ended = "town.example ended\n";
    const auto answer =
        Gateway(ended, ended).ask({"a@town.example", "anna@firm.example", "anna", "", false});
    CHECK(answer.kind == Kind::refused);
    CHECK_EQUAL(answer.reply->enhanced, "5.1.2");
}

static void what_is_not_known_now_is_neither_yes_nor_no() {
    const auto changing = Gateway("", "town.example active\n")
                              .ask({"a@town.example", "anna@firm.example", "anna", "", false});
    CHECK(changing.kind == Kind::not_now);
    CHECK_EQUAL(changing.reply->code, 451);
    const auto away = Gateway("", "", false).ask({bob, "anna@firm.example", "anna", "", false});
    CHECK(away.kind == Kind::not_now);
    CHECK_EQUAL(away.reply->code, 451);
}

static void an_ended_provider_is_named_by_either_door() {
    EndedProviders ended;
    ended.add(
        "other.de-mail.de",
        {std::make_shared<EndedProvider>(EndedProvider{"Old Post", "2022-08-31", "", ""}), false});
    const auto smtp = Gateway().ask({bob, "anna@firm.example", "anna", "", false}, ended);
    CHECK(smtp.kind == Kind::refused);
    CHECK(smtp.reply->text.find("Old Post") != std::string::npos);
    const auto local = Gateway().ask({bob, "root@firm.example", "", "", true}, ended);
    CHECK(local.kind == Kind::refused);
    CHECK(local.sentence.find("demail-relay bounces it") != std::string::npos);
    CHECK(local.sentence.find("Old Post") != std::string::npos);
}

static void what_is_no_address_is_called_neither() {
    const auto answer = Gateway().ask({"a@b@c d", "anna@firm.example", "anna", "", false});
    CHECK(answer.kind == Kind::refused);
    CHECK(!answer.demail.has_value());
}

static void observing_changes_no_answer() {
    Gateway gateway;
    gateway.configuration.observe = true;
    CHECK(gateway.ask({bob, "x@firm.example", "", "", false}).kind == Kind::refused);
}

int main() {
    log::silence();
    return test::run(
        "test-address",
        {TEST(the_rule_that_decides_is_named_with_its_account),
         TEST(a_sender_without_a_right_is_refused_in_the_milters_words),
         TEST(the_null_sender_is_refused), TEST(the_clients_network_decides),
         TEST(sendmail_has_local_rules_alone), TEST(ordinary_addresses_are_not_de_mail),
         TEST(a_domain_that_has_ended_is_refused),
         TEST(what_is_not_known_now_is_neither_yes_nor_no),
         TEST(an_ended_provider_is_named_by_either_door),
         TEST(what_is_no_address_is_called_neither), TEST(observing_changes_no_answer)});
}
