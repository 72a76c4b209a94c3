// A sender whom an administrator has blocked: what the milter says, and when.
#include "check.hpp"
#include "filter_fixture.hpp"

using namespace demail;
using demail::test::Firm;

namespace {

const std::string bob = "<bob@other.de-mail.de>";

struct Blocked : test::TemporaryDirectory {
    std::string file = path() + "/blocked";
    Firm firm{false, false, [this](filter::Settings &settings) {
                  settings.blocks = std::make_shared<BlocksFile>(file);
                  settings.reinjection = {*Network::parse("192.0.2.200")};
              }};

    void block(const std::string &address) const {
        CHECK(!change_blocks(file, [&](Blocks &blocks) {
            return blocks.add({Block::What::address, address, 1, "root", ""}).empty();
        }));
    }
    void unblock(const std::string &address) const {
        CHECK(!change_blocks(
            file, [&](Blocks &blocks) { return blocks.remove(Block::What::address, address); }));
    }
    std::string annas_rcpt() {
        firm.mail_from_anna();
        return firm.rcpt(bob);
    }
};

} // namespace

static void a_block_counts_from_the_next_recipient_on() {
    Blocked host;
    CHECK_EQUAL(host.annas_rcpt(), "250");
    host.block("anna@firm.de-mail.de");
    CHECK_EQUAL(host.firm.rcpt("<dora@other.de-mail.de>"), "550 5.7.1");
    CHECK_EQUAL(host.firm.rcpt("<ida@internet.example>"), "250");
    host.unblock("anna@firm.de-mail.de");
    CHECK_EQUAL(host.annas_rcpt(), "250");
    host.block("bea@firm.example");
    CHECK_EQUAL(host.annas_rcpt(), "250");
}

static void one_that_comes_behind_rcpt_counts_at_the_end_of_the_header() {
    Blocked host;
    CHECK_EQUAL(host.annas_rcpt(), "250");
    host.block("anna@firm.example");
    CHECK(host.firm.annas_header().starts_with("550 5.7.1 Not sent as De-Mail: this sender is "));
}

static void where_blocks_are_not_known_mail_waits() {
    Blocked host;
    std::ofstream(host.file) << "demail-blocks 1\n";
    CHECK_EQUAL(host.annas_rcpt(), "451 4.3.0");
    CHECK_EQUAL(host.firm.rcpt("<ida@internet.example>"), "250");
    std::filesystem::remove(host.file);
    CHECK_EQUAL(host.annas_rcpt(), "250");
    host.block("bea@firm.example");
    std::filesystem::permissions(host.file, std::filesystem::perms(0646));
    CHECK_EQUAL(host.annas_rcpt(), "451 4.3.0");
    std::filesystem::permissions(host.file, std::filesystem::perms(0644));
    CHECK_EQUAL(host.annas_rcpt(), "250");
}

static void what_sendmail_brings_is_the_relays_to_refuse() {
    Blocked host;
    host.block("robot@firm.de-mail.de");
    host.firm.sendmail_from("robot@firm.example");
    CHECK_EQUAL(host.firm.rcpt(bob), "250");
    CHECK_EQUAL(host.firm.header({{"From", " robot@firm.example"}}), "take body");
}

static void a_content_filter_brings_back_what_the_relay_will_judge() {
    Blocked host;
    host.block("anna@firm.example");
    host.firm.session.mail("<anna@firm.example>", {"192.0.2.200", "10025", "anna", ""});
    CHECK_EQUAL(host.firm.rcpt(bob), "250");
    // Without a seal it is a new message.
    CHECK(host.firm.annas_header().starts_with("550 5.7.1 Not sent as De-Mail: this sender is "));
}

int main() {
    return test::run("filter_blocks",
                     {TEST(a_block_counts_from_the_next_recipient_on),
                      TEST(one_that_comes_behind_rcpt_counts_at_the_end_of_the_header),
                      TEST(where_blocks_are_not_known_mail_waits),
                      TEST(what_sendmail_brings_is_the_relays_to_refuse),
                      TEST(a_content_filter_brings_back_what_the_relay_will_judge)});
}
