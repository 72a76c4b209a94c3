// A senders_file (demail.toml(5)): its lines, its faults, and that the first rule that fits decides
// however many there are.
#include "check.hpp"
#include "message/sender_table.hpp"

#include <random>
#include <string>
#include <vector>

using namespace demail;

namespace {

const std::vector<std::string> domains{"firm.de-mail.de", "branch.de-mail.de"};

/// The rule as sender_line() writes it again, or what is wrong with the line.
std::string read(std::string_view line) {
    const auto outcome = parse_sender_line(line, "firm", domains);
    if (const auto *fault = std::get_if<std::string>(&outcome)) return "! " + *fault;
    return sender_line(std::get<SenderRule>(outcome));
}

std::shared_ptr<const SenderTable> table(std::string text) {
    auto outcome = SenderTable::parse(std::move(text), {"f", "firm", domains});
    if (const auto *faults = std::get_if<std::vector<SenderTable::Fault>>(&outcome))
        throw test::Failure{faults->front().sentence, __FILE__, __LINE__};
    return std::get<std::shared_ptr<const SenderTable>>(outcome);
}

/// "LINE: sentence", a line each.
std::string faults(std::string text) {
    const auto outcome = SenderTable::parse(std::move(text), {"f", "firm", domains});
    std::string all;
    if (const auto *list = std::get_if<std::vector<SenderTable::Fault>>(&outcome))
        for (const auto &one : *list)
            all += std::to_string(one.line) + ": " + one.sentence + "\n";
    return all;
}

Submitter who(std::string_view sender, std::string login = {}, std::string_view client = "") {
    return {Address::parse(sender), std::move(login), IpAddress::parse(client), false};
}

/// All rules of an account from its file alone.
SenderRules rules_of(const std::string &text) {
    return SenderRules(std::vector<AccountRules>{{"firm", nullptr, true, table(text)}});
}

/// "LINE ADDRESS"
std::string found(const RightsAnswer &answer) {
    if (answer.not_known) return "not known";
    if (!answer.right) return "no right";
    return std::to_string(answer.right->rule->line) + " " + answer.right->sender.lower();
}

bool contains(const std::string &text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

} // namespace

static void a_line_says_all_that_a_table_of_demail_toml_can() {
    for (const std::string line :
         {"anna@firm.example anna@firm.de-mail.de login=anna",
          "*@firm.example *@firm.de-mail.de login=* network=10.0.0.0/8,2001:db8::/32 "
          "defaults=confirmation-of-dispatch allow=confirmation-of-receipt,private",
          "root@firm.example system@firm.de-mail.de local",
          "bill@firm.example bill@firm.de-mail.de login=erp automatic",
          "boss@firm.example boss@firm.de-mail.de login=anna delegate=anna@firm.example "
          "delegate_as=anna@firm.de-mail.de"})
        CHECK_EQUAL(read(line), line);
    CHECK_EQUAL(read("Anna@Firm.Example \t a@firm.de-mail.de  network=10.0.0.1 "),
                "anna@firm.example a@firm.de-mail.de network=10.0.0.1/32");
}

static void what_a_line_may_not_say() {
    const std::string both = "a@firm.example a@firm.de-mail.de ";
    for (const auto &[line, why] : std::vector<std::pair<std::string, std::string>>{
             {"a@firm.example", "must begin with"},
             {both, "anybody could send"},
             {"a*@firm.example a@firm.de-mail.de login=a", "the sender \"a*@firm.example\""},
             {"a@firm.example a@other.de-mail.de login=a", "the domain of as"},
             {"a@firm.example *@firm.de-mail.de login=a", "* in as"},
             {both + "login=*", "from has no *"},
             {both + "login=*@firm.example", "from has no *"},
             {both + "login=a*", "login must be"},
             {"*@firm.example *@firm.de-mail.de login=*@", "login must be"},
             {"*@firm.example *@firm.de-mail.de login=*@a.*", "login must be"},
             {both + "login=a login=b", "\"login\" stands twice"},
             {both + "login=", "\"login=\" is not known"},
             {both + "logn=a", "\"logn=a\" is not known"},
             {both + "local=yes", "\"local=yes\" is not known"},
             {both + "login=a automatic=yes", "\"automatic=yes\" is not known"},
             {both + "local login=a", "neither login nor network"},
             {"*@firm.example *@firm.de-mail.de local", "without *"},
             {both + "network=10.0.0.1/8", "without host bits"},
             {both + "network=10.0.0.0/8,", "without host bits"},
             {both + "login=a allow=receipt", "unknown option \"receipt\""},
             {both + "login=a\x01", "control character"},
             {both + "login=a\xff", "not UTF-8"},
             {both + "login=b delegate=b@firm.example", "belong together"},
             {both + "login=any delegate=b@firm.example delegate_as=b@firm.de-mail.de",
              "ask for her login"},
             {both + "login=a delegate=a@firm.example delegate_as=a@firm.de-mail.de", "themselves"},
             {both + "login=b delegate=b@firm.example delegate_as=b@other.de-mail.de",
              "the domain of delegate_as"},
             {"*@firm.example *@firm.de-mail.de login=b delegate=b@firm.example "
              "delegate_as=b@firm.de-mail.de",
              "without *"},
             {both + "login=" + std::string(2000, 'a'), "longer than 2000 octets"}})
        CHECK(contains(read(line), why) && read(line).starts_with("! "));
}

static void a_file_with_one_bad_line_is_no_file() {
    const std::string good = "a@firm.example a@firm.de-mail.de login=a\n";
    CHECK_EQUAL(faults("# all of us\r\n\n  \t\n" + good), "");
    CHECK_EQUAL(faults(good + good + "x\n"),
                "3: the line must begin with the sender's address and a De-Mail address.\n");
    std::string many;
    for (int i = 0; i < 30; ++i)
        many += "x\n";
    const std::string said = faults(many);
    CHECK(said.ends_with("20: the line must begin with the sender's address and a De-Mail "
                         "address.\n0: 10 more lines are faulty.\n"));
    CHECK(contains(faults(std::string(SenderTable::longest_text + 1, '\n')), "larger than 64 MiB"));
    CHECK_EQUAL(table("")->size(), 0U);
}

static void the_first_line_that_fits_decides() {
    const SenderRules rules = rules_of("boss@firm.example first@firm.de-mail.de login=zoe\n"
                                       "*@firm.example *@firm.de-mail.de network=10.0.0.0/8\n"
                                       "# a comment\n"
                                       "boss@firm.example third@firm.de-mail.de login=anna\n"
                                       "*@firm.example *@firm.de-mail.de login=*\n"
                                       "*@firm.example robot@firm.de-mail.de login=robot\n"
                                       "*@firm.example *@firm.de-mail.de login=*@firm.example\n");
    CHECK_EQUAL(found(rules.find(who("bea@firm.example", "Bea@firm.example"))),
                "7 bea@firm.de-mail.de");
    CHECK_EQUAL(found(rules.find(who("Boss@firm.example", "Zoe"))), "1 first@firm.de-mail.de");
    CHECK_EQUAL(found(rules.find(who("boss@firm.example", "anna", "10.1.1.1"))),
                "2 boss@firm.de-mail.de");
    CHECK_EQUAL(found(rules.find(who("boss@firm.example", "anna"))), "4 third@firm.de-mail.de");
    CHECK_EQUAL(found(rules.find(who("bea@firm.example", "bea"))), "5 bea@firm.de-mail.de");
    CHECK_EQUAL(found(rules.find(who("bea@firm.example", "robot"))), "6 robot@firm.de-mail.de");
    CHECK_EQUAL(found(rules.find(who("bea@firm.example", "anna"))), "no right");
    CHECK_EQUAL(found(rules.find(who("bea@other.example", "bea"))), "no right");
    CHECK_EQUAL(rules.find(who("bea@firm.example", "bea")).right->rule->file, "f");
}

static void the_relay_finds_the_line_too() {
    const SenderRules rules = rules_of("boss@firm.example chief@firm.de-mail.de login=zoe\n"
                                       "*@firm.example *@firm.de-mail.de login=*\n"
                                       "boss@firm.example chief@firm.de-mail.de login=anna\n");
    const auto mapping = [&](const char *from, const char *as,
                             const SenderRules::Suits &suits = {}) {
        return found(rules.find_mapping("firm", *Address::parse(from), *Address::parse(as), suits));
    };
    CHECK_EQUAL(mapping("BOSS@firm.example", "chief@firm.de-mail.de"), "1 chief@firm.de-mail.de");
    CHECK_EQUAL(mapping("boss@firm.example", "boss@firm.de-mail.de"), "2 boss@firm.de-mail.de");
    CHECK_EQUAL(mapping("bea@firm.example", "boss@firm.de-mail.de"), "no right");
    CHECK_EQUAL(mapping("boss@firm.example", "chief@firm.de-mail.de",
                        [](const Right &right) { return right.rule->login == "anna"; }),
                "3 chief@firm.de-mail.de");
    CHECK(!rules
               .find_mapping("other", *Address::parse("bea@firm.example"),
                             *Address::parse("bea@firm.de-mail.de"))
               .right);
}

/// What the index finds is what a walk through all rules finds.
static void the_index_changes_no_decision() {
    std::mt19937 random(7); // NOLINT: the same every time
    const auto one_of = [&](const std::vector<std::string> &words) {
        return words[random() % words.size()];
    };
    const std::vector<std::string> locals{"anna", "bea", "cem", "*"},
        logins{"anna", "bea", "any", "*"};
    int rights = 0;
    for (int round = 0; round < 200; ++round) {
        std::vector<SenderRule> listed;
        std::string text;
        while (listed.size() < 12) {
            std::string line = one_of(locals) + "@" + one_of({"x.example", "y.example"}) + " " +
                               one_of(locals) + "@firm.de-mail.de";
            if (random() % 4 != 0) line += " login=" + one_of(logins);
            if (random() % 4 == 0) line += " network=10.0.0.0/8";
            if (random() % 4 == 0)
                line += " delegate=" + one_of({"anna", "bea"}) +
                        "@x.example delegate_as=d@firm.de-mail.de";
            auto rule = parse_sender_line(line, "firm", domains);
            if (!std::holds_alternative<SenderRule>(rule)) continue;
            listed.push_back(std::get<SenderRule>(std::move(rule)));
            text += line + "\n";
        }
        const SenderRules walked(listed), indexed = rules_of(text);
        for (const std::string sender : {"anna@x.example", "bea@x.example", "cem@y.example"})
            for (const std::string login : {"", "anna", "bea", "cem"}) {
                const auto submitter =
                    who(sender, login, random() % 2 == 0 ? "10.1.1.1" : "192.0.2.1");
                const auto a = walked.find(submitter), b = indexed.find(submitter);
                CHECK_EQUAL(a.right.has_value(), b.right.has_value());
                if (!a.right) continue;
                ++rights;
                CHECK_EQUAL(a.right->sender.lower(), b.right->sender.lower());
                CHECK_EQUAL(sender_line(*a.right->rule), sender_line(*b.right->rule));
                const auto c =
                    walked.find_mapping("firm", *submitter.envelope_sender, a.right->sender);
                const auto d =
                    indexed.find_mapping("firm", *submitter.envelope_sender, a.right->sender);
                CHECK(c.right && d.right);
                CHECK_EQUAL(sender_line(*c.right->rule), sender_line(*d.right->rule));
            }
    }
    CHECK(rights > 500);
}

static void a_file_that_is_not_known_now_is_no_permission_and_no_refusal() {
    const auto robot = std::get<SenderRule>(
        parse_sender_line("robot@firm.example robot@firm.de-mail.de login=robot", "firm", domains));
    const auto of = [&](std::vector<AccountRules> accounts) {
        return SenderRules(std::move(accounts));
    };
    const auto listed = std::make_shared<const std::vector<SenderRule>>(std::vector{robot});
    const AccountRules torn{"firm", listed, true, nullptr};
    CHECK_EQUAL(found(of({torn}).find(who("robot@firm.example", "robot"))),
                "0 robot@firm.de-mail.de");
    CHECK_EQUAL(found(of({torn}).find(who("anna@firm.example", "anna"))), "not known");
    // An earlier account's rules decide before it, a later one's do not.
    const AccountRules whole{"branch", nullptr, true,
                             table("anna@firm.example a@branch.de-mail.de login=anna")};
    CHECK_EQUAL(found(of({torn, whole}).find(who("anna@firm.example", "anna"))), "not known");
    CHECK_EQUAL(found(of({whole, torn}).find(who("anna@firm.example", "anna"))),
                "1 a@branch.de-mail.de");
    // At the relay the account is known.
    const auto anna = *Address::parse("anna@firm.example");
    CHECK_EQUAL(
        found(of({torn, whole}).find_mapping("firm", anna, *Address::parse("a@firm.de-mail.de"))),
        "not known");
    CHECK_EQUAL(
        found(
            of({torn, whole}).find_mapping("branch", anna, *Address::parse("a@branch.de-mail.de"))),
        "1 a@branch.de-mail.de");
}

int main() {
    return test::run("sender_table",
                     {TEST(a_line_says_all_that_a_table_of_demail_toml_can),
                      TEST(what_a_line_may_not_say), TEST(a_file_with_one_bad_line_is_no_file),
                      TEST(the_first_line_that_fits_decides), TEST(the_relay_finds_the_line_too),
                      TEST(the_index_changes_no_decision),
                      TEST(a_file_that_is_not_known_now_is_no_permission_and_no_refusal)});
}
