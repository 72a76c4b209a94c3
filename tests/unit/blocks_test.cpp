// Whom a block catches, and that a list which was cut off is not taken for a short one.
#include "check.hpp"
#include "message/blocks.hpp"

using namespace demail;
using What = Block::What;

namespace {

Address address(const std::string &text) {
    return Address::parse(text).value();
}

Block block(What what, const std::string &value) {
    return {what, value, 1'700'000'000, "root", "left the firm"};
}

Right annas_right() {
    SenderRule rule;
    rule.account = "firm";
    rule.from = *AddressPattern::parse("*@firm.example");
    rule.as = *AddressPattern::parse("*@firm.de-mail.de");
    return {std::make_shared<const SenderRule>(rule), address("anna@firm.de-mail.de")};
}

/// What catches Anna, who sends from Anna@firm.example; "" for nothing.
std::string caught_by(const Block &one, const Right &right = annas_right()) {
    Blocks blocks;
    CHECK_EQUAL(blocks.add(one), "");
    const Block *found = blocks.find(right, address("Anna@firm.example"));
    return found == nullptr ? "" : std::string(word(found->what)) + found->value;
}

std::string read(const std::string &text) {
    const auto parsed = Blocks::parse(text);
    const auto *good = std::get_if<Blocks>(&parsed);
    return good == nullptr ? "damaged" : std::to_string(good->all().size());
}

} // namespace

static void a_block_catches_the_sender_by_either_address() {
    CHECK_EQUAL(caught_by(block(What::address, "anna@firm.de-mail.de")),
                "addressanna@firm.de-mail.de");
    CHECK_EQUAL(caught_by(block(What::address, "anna@firm.example")), "addressanna@firm.example");
    CHECK_EQUAL(caught_by(block(What::address, "bea@firm.example")), "");
    CHECK_EQUAL(caught_by(block(What::account, "firm")), "accountfirm");
    CHECK_EQUAL(caught_by(block(What::account, "other")), "");
    CHECK_EQUAL(caught_by(block(What::all, "")), "all");
}

static void a_block_catches_her_who_writes_for_another() {
    SenderRule rule = *annas_right().rule;
    rule.delegate = address("zoe@desk.example");
    rule.delegate_as = address("zoe@firm.de-mail.de");
    const Right right{std::make_shared<const SenderRule>(rule), address("boss@firm.de-mail.de")};
    for (const std::string one :
         {"zoe@desk.example", "zoe@firm.de-mail.de", "boss@firm.de-mail.de"})
        CHECK_EQUAL(caught_by(block(What::address, one), right), "address" + one);
}

static void what_is_written_reads_back() {
    Blocks blocks;
    CHECK_EQUAL(blocks.add(block(What::all, "")), "");
    CHECK_EQUAL(blocks.add(block(What::account, "firm")), "");
    CHECK_EQUAL(blocks.add(block(What::address, "anna@firm.example")), "");
    const std::string text = blocks.str();
    CHECK_EQUAL(text, "demail-blocks 1\n"
                      "all\t\t1700000000\troot\tleft the firm\n"
                      "account\tfirm\t1700000000\troot\tleft the firm\n"
                      "address\tanna@firm.example\t1700000000\troot\tleft the firm\n"
                      "end 3\n");
    CHECK_EQUAL(std::get<Blocks>(Blocks::parse(text)).str(), text);
    CHECK(!blocks.remove(What::address, "bea@firm.example"));
    CHECK(blocks.remove(What::address, "anna@firm.example"));
    CHECK_EQUAL(read(blocks.str()), "2");
}

static void whatever_is_cut_off_or_changed_is_damaged() {
    Blocks blocks;
    CHECK_EQUAL(blocks.add(block(What::account, "firm")), "");
    CHECK_EQUAL(blocks.add(block(What::address, "anna@firm.example")), "");
    const std::string text = blocks.str();
    for (std::size_t length = 0; length < text.size(); ++length)
        CHECK_EQUAL(read(text.substr(0, length)), "damaged");
    const std::string line = "address\ta@b.example\t1\troot\t\n";
    CHECK_EQUAL(read("demail-blocks 1\n" + line + "end 1\n"), "1");
    for (const std::string &bad : std::vector<std::string>{
             "demail-blocks 2\n" + line + "end 1\n", "demail-blocks 1\n" + line + "end 2\n",
             "demail-blocks 1\n" + line + "end 1\n\n",
             "demail-blocks 1\n" + line + line + "end 2\n",
             "demail-blocks 1\naddress\tA@b.example\t1\troot\t\nend 1\n",
             "demail-blocks 1\naddress\ta@b.example\t-1\troot\t\nend 1\n",
             "demail-blocks 1\naddress\ta@b.example\t1\t\t\nend 1\n",
             "demail-blocks 1\naddress\ta@b.example\t1\troot\nend 1\n",
             "demail-blocks 1\naddress\ta@b.example\t1\troot\ta\tb\nend 1\n",
             "demail-blocks 1\nall\tx\t1\troot\t\nend 1\n",
             "demail-blocks 1\nsender\ta@b.example\t1\troot\t\nend 1\n"})
        CHECK_EQUAL(read(bad), "damaged");
}

static void what_would_break_a_line_is_not_taken() {
    Blocks blocks;
    Block one = block(What::account, "firm");
    one.reason = "a\nb";
    CHECK(!blocks.add(one).empty());
    one.reason = std::string(Blocks::longest_reason + 1, 'x');
    CHECK(!blocks.add(one).empty());
    one.reason = "";
    one.by = "";
    CHECK(!blocks.add(one).empty());
    one = block(What::account, "fi\trm");
    CHECK(!blocks.add(one).empty());
    CHECK(!blocks.add(block(What::address, "no address")).empty());
    CHECK(blocks.all().empty());
}

static void the_list_has_an_end() {
    Blocks blocks;
    for (std::size_t i = 0; i < Blocks::most; ++i)
        CHECK_EQUAL(blocks.add(block(What::account, "a" + std::to_string(i))), "");
    CHECK(!blocks.add(block(What::account, "b")).empty());
    CHECK(blocks.str().size() < Blocks::longest_text);
    CHECK_EQUAL(read(blocks.str()), std::to_string(Blocks::most));
}

int main() {
    return test::run("blocks",
                     {TEST(a_block_catches_the_sender_by_either_address),
                      TEST(a_block_catches_her_who_writes_for_another),
                      TEST(what_is_written_reads_back),
                      TEST(whatever_is_cut_off_or_changed_is_damaged),
                      TEST(what_would_break_a_line_is_not_taken), TEST(the_list_has_an_end)});
}
