// Who may send De-Mail, and as whom (contracts.md, [[account.sender]]).
#include "check.hpp"
#include "message/rights.hpp"

using demail::Address;
using demail::AddressPattern;
using demail::IpAddress;
using demail::Network;
using demail::SenderRule;
using demail::SenderRules;
using demail::Submitter;

namespace {

struct Given {
    std::string from = "*@firm.example";
    std::string as = "*@firm.de-mail.de";
    std::string login;
    std::string network;
    bool local = false;
    std::string account = "firm";
};

SenderRule rule(const Given &given) {
    SenderRule made;
    made.account = given.account;
    made.from = AddressPattern::parse(given.from).value();
    made.as = AddressPattern::parse(given.as).value();
    made.login = given.login;
    if (!given.network.empty()) made.networks.push_back(Network::parse(given.network).value());
    made.local = given.local;
    return made;
}

struct Who {
    std::string sender = "anna@firm.example";
    std::string login;
    std::string client = "192.0.2.1";
    bool local = false;
};

Submitter submitter(const Who &who) {
    Submitter made;
    made.envelope_sender = Address::parse(who.sender);
    made.login = who.login;
    made.client = IpAddress::parse(who.client);
    made.local = who.local;
    return made;
}

// The De-Mail address, or what stands for no right.
std::string sends_as(const SenderRules &rules, const Who &who) {
    const auto right = rules.find(submitter(who)).right;
    return right ? right->sender.str() : "(no right)";
}

std::string sends_as(const Given &given, const Who &who) {
    return sends_as(SenderRules(std::vector{rule(given)}), who);
}

Given with_login(std::string login) {
    Given given;
    given.login = std::move(login);
    return given;
}

Given with_network(std::string network) {
    Given given;
    given.network = std::move(network);
    return given;
}

Given with_local(std::string from) {
    Given given;
    given.from = std::move(from);
    given.as = "anna@firm.de-mail.de";
    given.local = true;
    return given;
}

Who logged_in(std::string sender, std::string login) {
    Who who;
    who.sender = std::move(sender);
    who.login = std::move(login);
    return who;
}

Who from_client(std::string client) {
    Who who;
    who.client = std::move(client);
    return who;
}

Who on_the_host(std::string sender) {
    return {std::move(sender), "", "127.0.0.1", true};
}

} // namespace

static void a_star_login_sends_as_its_own_address_alone() {
    const Given star = with_login("*");
    CHECK_EQUAL(sends_as(star, logged_in("anna@firm.example", "anna")), "anna@firm.de-mail.de");
    CHECK_EQUAL(sends_as(star, logged_in("Anna@Firm.Example", "ANNA")), "anna@firm.de-mail.de");
    CHECK_EQUAL(sends_as(star, logged_in("boss@firm.example", "anna")), "(no right)");
    CHECK_EQUAL(sends_as(star, logged_in("anna@firm.example", "anna@firm.example")), "(no right)");
    CHECK_EQUAL(sends_as(star, logged_in("anna@other.example", "anna")), "(no right)");
    CHECK_EQUAL(sends_as(star, logged_in("anna@firm.example", "")), "(no right)");
}

static void a_star_login_with_a_domain_is_the_whole_address() {
    const Given whole = with_login("*@firm.example");
    CHECK_EQUAL(sends_as(whole, logged_in("anna@firm.example", "Anna@firm.Example")),
                "anna@firm.de-mail.de");
    CHECK_EQUAL(sends_as(whole, logged_in("anna@firm.example", "anna")), "(no right)");
    CHECK_EQUAL(sends_as(whole, logged_in("anna@firm.example", "anna@other.example")),
                "(no right)");
    CHECK_EQUAL(sends_as(whole, logged_in("boss@firm.example", "anna@firm.example")), "(no right)");
    CHECK_EQUAL(sends_as(whole, logged_in("anna@firm.example", "")), "(no right)");
}

static void a_star_login_with_a_fixed_sender_is_that_local_part() {
    Given fixed = with_login("*");
    fixed.from = "office@firm.example";
    fixed.as = "firm@firm.de-mail.de";
    CHECK_EQUAL(sends_as(fixed, logged_in("office@firm.example", "Office")),
                "firm@firm.de-mail.de");
    CHECK_EQUAL(sends_as(fixed, logged_in("office@firm.example", "anna")), "(no right)");
}

static void any_login_or_one_login_must_be_there() {
    CHECK_EQUAL(sends_as(with_login("any"), logged_in("boss@firm.example", "anna")),
                "boss@firm.de-mail.de");
    CHECK_EQUAL(sends_as(with_login("any"), logged_in("boss@firm.example", "")), "(no right)");
    CHECK_EQUAL(sends_as(with_login("Robot"), logged_in("boss@firm.example", "rObot")),
                "boss@firm.de-mail.de");
    CHECK_EQUAL(sends_as(with_login("robot"), logged_in("boss@firm.example", "robot2")),
                "(no right)");
}

static void a_network_must_hold_the_client() {
    const Given net = with_network("192.0.2.0/24");
    CHECK_EQUAL(sends_as(net, from_client("192.0.2.77")), "anna@firm.de-mail.de");
    CHECK_EQUAL(sends_as(net, from_client("IPv6:::ffff:192.0.2.77")), "anna@firm.de-mail.de");
    CHECK_EQUAL(sends_as(net, from_client("192.0.3.1")), "(no right)");
    CHECK_EQUAL(sends_as(net, from_client("unknown")), "(no right)");
}

static void login_and_network_are_both_needed() {
    Given both = with_network("192.0.2.0/24");
    both.login = "*";
    CHECK_EQUAL(sends_as(both, {"anna@firm.example", "anna", "192.0.2.1", false}),
                "anna@firm.de-mail.de");
    CHECK_EQUAL(sends_as(both, {"anna@firm.example", "", "192.0.2.1", false}), "(no right)");
    CHECK_EQUAL(sends_as(both, {"anna@firm.example", "anna", "198.51.100.1", false}), "(no right)");
}

static void sendmail_fits_a_local_rule_alone_and_a_local_rule_sendmail_alone() {
    const Given local = with_local("anna@firm.example");
    CHECK_EQUAL(sends_as(local, on_the_host("anna@firm.example")), "anna@firm.de-mail.de");
    CHECK_EQUAL(sends_as(local, on_the_host("boss@firm.example")), "(no right)");
    CHECK_EQUAL(sends_as(local, from_client("127.0.0.1")), "(no right)");
    CHECK_EQUAL(sends_as(local, logged_in("anna@firm.example", "anna")), "(no right)");
    CHECK_EQUAL(sends_as(with_local("*@firm.example"), on_the_host("anna@firm.example")),
                "(no right)");
    CHECK_EQUAL(sends_as(with_network("127.0.0.0/8"), on_the_host("anna@firm.example")),
                "(no right)");
    CHECK_EQUAL(sends_as(with_network("127.0.0.0/8"), from_client("127.0.0.1")),
                "anna@firm.de-mail.de");
    Given torn = with_local("anna@firm.example");
    torn.login = "any";
    CHECK_EQUAL(sends_as(torn, on_the_host("anna@firm.example")), "(no right)");
    Who with_a_login = on_the_host("anna@firm.example");
    with_a_login.login = "anna";
    CHECK_EQUAL(sends_as(with_login("any"), with_a_login), "(no right)");
}

static void a_rule_that_asks_for_nothing_entitles_nobody() {
    CHECK_EQUAL(sends_as(Given{}, logged_in("anna@firm.example", "anna")), "(no right)");
    CHECK_EQUAL(sends_as(SenderRules(), logged_in("anna@firm.example", "anna")), "(no right)");
    const SenderRules rules(std::vector{rule(Given{})});
    CHECK(!rules
               .find_mapping("firm", *Address::parse("anna@firm.example"),
                             *Address::parse("anna@firm.de-mail.de"))
               .right);
}

static void without_an_envelope_sender_there_is_no_right() {
    CHECK_EQUAL(sends_as(with_login("any"), logged_in("", "anna")), "(no right)");
}

static void the_first_rule_that_fits_decides() {
    Given first = with_login("any");
    first.from = "boss@firm.example";
    first.as = "direction@firm.de-mail.de";
    const SenderRules rules(std::vector{rule(first), rule(with_login("any"))});
    CHECK_EQUAL(sends_as(rules, logged_in("boss@firm.example", "x")), "direction@firm.de-mail.de");
    CHECK_EQUAL(sends_as(rules, logged_in("anna@firm.example", "x")), "anna@firm.de-mail.de");
    CHECK(rules.find(submitter(logged_in("anna@firm.example", "x"))).right->rule.get() ==
          &rules.accounts()[0].rules->at(1));
}

static void a_star_takes_only_plain_local_parts_over() {
    const Given any = with_login("any");
    CHECK_EQUAL(sends_as(any, logged_in("A.b_c+d-9@firm.example", "x")),
                "a.b_c+d-9@firm.de-mail.de");
    for (const char *sender :
         {"\"a b\"@firm.example", "a!b@firm.example", "jürgen@firm.example", "a%b@firm.example",
          "\"a@de-mail.de\"@firm.example", "a/b@firm.example"})
        CHECK_EQUAL(sends_as(any, logged_in(sender, "x")), "(no right)");
    CHECK_EQUAL(sends_as(any, logged_in(std::string(64, 'a') + "@firm.example", "x")),
                std::string(64, 'a') + "@firm.de-mail.de");
    CHECK_EQUAL(sends_as(any, logged_in(std::string(65, 'a') + "@firm.example", "x")),
                "(no right)");
}

static void domains_compare_in_normal_form() {
    Given umlaut = with_login("any");
    umlaut.from = "*@Bücher.example";
    CHECK_EQUAL(sends_as(umlaut, logged_in("anna@xn--bcher-kva.example", "x")),
                "anna@firm.de-mail.de");
    CHECK_EQUAL(sends_as(with_login("any"), logged_in("anna@sub.firm.example", "x")), "(no right)");
}

static void the_relay_finds_the_mapping_of_the_account() {
    Given other = with_login("any");
    other.account = "other";
    const SenderRules rules(std::vector{rule(other), rule(with_login("*"))});
    const auto from = *Address::parse("Anna@firm.example");
    const auto as = *Address::parse("anna@firm.de-mail.de");
    CHECK(rules.find_mapping("firm", from, as).right->rule.get() ==
          rules.accounts()[1].rules->data());
    CHECK(!rules.find_mapping("firm", from, *Address::parse("boss@firm.de-mail.de")).right);
    CHECK(!rules.find_mapping("firm", *Address::parse("anna@other.example"), as).right);
    CHECK(!rules.find_mapping("none", from, as).right);
}

static void header_addresses_map_by_the_same_rule() {
    const auto mapped = [](const SenderRules &rules, std::string_view address) {
        const auto who = submitter(logged_in("Anna@firm.example", "anna"));
        const auto right = rules.find(who).right;
        const auto found = SenderRules::map(*right, *who.envelope_sender, *Address::parse(address));
        return found ? found->str() : "(does not fit)";
    };
    const SenderRules star(std::vector{rule(with_login("*"))});
    CHECK_EQUAL(mapped(star, "ANNA@firm.example"), "anna@firm.de-mail.de");
    CHECK_EQUAL(mapped(star, "Anna@Firm.de-mail.de"), "anna@firm.de-mail.de");
    CHECK_EQUAL(mapped(star, "boss@firm.example"), "(does not fit)");
    CHECK_EQUAL(mapped(star, "boss@firm.de-mail.de"), "(does not fit)");
    CHECK_EQUAL(mapped(star, "anna@other.example"), "(does not fit)");
    const SenderRules any(std::vector{rule(with_login("any"))});
    CHECK_EQUAL(mapped(any, "boss@firm.example"), "boss@firm.de-mail.de");
}

static void a_pattern_is_an_address_or_a_star_for_the_whole_local_part() {
    CHECK(AddressPattern::parse("*@firm.example")->wild());
    CHECK(!AddressPattern::parse("anna@firm.example")->wild());
    for (const char *text : {"*", "a*@firm.example", "*@*.example", "*@", "**@firm.example",
                             "\"*\"@firm.example", "<*@firm.example>", "@firm.example"})
        CHECK(!AddressPattern::parse(text).has_value());
    const auto fixed = AddressPattern::parse("Anna@Firm.Example");
    CHECK_EQUAL(fixed->match(*Address::parse("anna@firm.example")).value_or("-"), "");
    CHECK_EQUAL(fixed->fill("ignored")->str(), "anna@firm.example");
    CHECK(!AddressPattern::parse("*@firm.example")->fill(""));
    CHECK(!AddressPattern::parse("*@firm.example")->fill(".."));
}

int main() {
    return demail::test::run(
        "rights",
        {TEST(a_star_login_sends_as_its_own_address_alone),
         TEST(a_star_login_with_a_domain_is_the_whole_address),
         TEST(a_star_login_with_a_fixed_sender_is_that_local_part),
         TEST(any_login_or_one_login_must_be_there), TEST(a_network_must_hold_the_client),
         TEST(login_and_network_are_both_needed),
         TEST(sendmail_fits_a_local_rule_alone_and_a_local_rule_sendmail_alone),
         TEST(a_rule_that_asks_for_nothing_entitles_nobody),
         TEST(without_an_envelope_sender_there_is_no_right), TEST(the_first_rule_that_fits_decides),
         TEST(a_star_takes_only_plain_local_parts_over), TEST(domains_compare_in_normal_form),
         TEST(the_relay_finds_the_mapping_of_the_account),
         TEST(header_addresses_map_by_the_same_rule),
         TEST(a_pattern_is_an_address_or_a_star_for_the_whole_local_part)});
}
