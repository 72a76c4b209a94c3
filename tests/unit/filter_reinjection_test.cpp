// A content filter hands a sealed message back: the seal is the identity there, and stays.
#include "check.hpp"
#include "filter_fixture.hpp"

using namespace demail;
using namespace demail::test;

namespace {

const HeaderFields fields{
    {"From", " Anna <anna@firm.example>"}, {"To", " bob@x.de-mail.de"}, {"Subject", " Hello"}};
constexpr std::string_view filter_address = "127.0.0.1";

/// Its content filter hands back over the loopback.
struct FilteredFirm : Firm {
    FilteredFirm()
        : Firm(false, false, [](filter::Settings &settings) {
              settings.reinjection.push_back(*Network::parse("127.0.0.0/8"));
          }) {}
};

/// A letter as Anna's desk handed it in and the milter sealed it.
std::string sealed(Firm &firm, std::string_view recipient = "<bob@x.de-mail.de>") {
    firm.mail_from_anna();
    CHECK_EQUAL(firm.rcpt(recipient), "250");
    CHECK_EQUAL(firm.header(fields), "take body");
    firm.session.body("text\r\n");
    std::string seal = *firm.changes().seal;
    firm.session.changes_made("4QabcdE");
    return seal;
}

HeaderFields with_seals(const std::vector<std::string> &seals) {
    HeaderFields all = fields;
    for (const std::string &one : seals)
        all.insert(all.begin(), {"Demail-Seal", one});
    all.insert(all.begin(), {"X-Virus-Scanned", " yes"});
    return all;
}

/// What is said of it at the end of the header.
std::string brought(Firm &firm, const HeaderFields &header,
                    std::string_view client = filter_address,
                    std::string_view recipient = "<bob@x.de-mail.de>") {
    firm.session.mail("<anna@firm.example>", {client, "10025", "", ""});
    CHECK_EQUAL(firm.rcpt(recipient), "250");
    return firm.header(header);
}

void the_seal_stays_and_none_is_added() {
    FilteredFirm firm;
    const std::string seal = sealed(firm);
    CHECK_EQUAL(brought(firm, with_seals({seal})), "take body");
    firm.session.body("text\r\n");
    const auto changes = firm.changes();
    CHECK(!changes.seal);
    CHECK(changes.removals.empty());
    firm.session.changes_made("4QabcdF");
    CHECK(firm.logged_line_with("event=reinjected queue_id=\"4QabcdF\" account=\"firm\""));
}

void a_body_that_the_filter_changed_is_refused() {
    FilteredFirm firm;
    const std::string seal = sealed(firm);
    CHECK_EQUAL(brought(firm, with_seals({seal})), "take body");
    firm.session.body("text\r\nScanned by all means.\r\n");
    const auto outcome = firm.session.end_of_message("4QabcdF");
    CHECK_EQUAL(std::get<Reply>(outcome).enhanced, "5.7.7");
    CHECK(firm.logged_line_with("event=refused queue_id=\"4QabcdF\""));
}

void a_seal_that_does_not_hold_is_no_identity() {
    FilteredFirm firm;
    const std::string seal = sealed(firm), other = sealed(firm);
    CHECK_EQUAL(brought(firm, with_seals({seal, other})).substr(0, 9), "550 5.7.0");
    std::string forged = seal;
    forged[forged.find("a=firm") + 2] = 'x';
    CHECK_EQUAL(brought(firm, with_seals({forged})).substr(0, 9), "550 5.7.0");
    HeaderFields changed = with_seals({seal});
    changed.back().value = " ***SPAM*** Hello";
    CHECK_EQUAL(brought(firm, changed).substr(0, 9), "550 5.7.7");
    CHECK_EQUAL(
        brought(firm, with_seals({seal}), filter_address, "<eve@x.de-mail.de>").substr(0, 9),
        "550 5.7.0");
    CHECK_EQUAL(brought(firm, with_seals({})).substr(0, 9), "550 5.7.1");
}

void a_seal_that_is_too_old_is_refused() {
    FilteredFirm firm;
    const std::string seal = sealed(firm);
    firm.time += 6 * 86400 + 1;
    CHECK_EQUAL(brought(firm, with_seals({seal})).substr(0, 9), "550 5.7.0");
}

void only_a_configured_client_may_bring_one() {
    FilteredFirm firm;
    const std::string seal = sealed(firm);
    firm.session.mail("<anna@firm.example>", {"192.0.2.9", "25", "", ""});
    CHECK_EQUAL(firm.rcpt("<bob@x.de-mail.de>"), "550 5.7.1");
    // Who has a right of his own is not helped by somebody else's seal.
    firm.mail_from_anna();
    CHECK_EQUAL(firm.rcpt("<bob@x.de-mail.de>"), "250");
    CHECK_EQUAL(firm.header(with_seals({seal})), "take body");
    const auto changes = firm.changes();
    CHECK(changes.seal.has_value());
    CHECK_EQUAL(changes.removals.size(), std::size_t{1});
}

/// As a damaged client may do it: there is no right yet, and no seal was looked at.
void a_message_that_ends_without_its_header_is_put_off() {
    FilteredFirm firm;
    firm.session.mail("<eve@elsewhere.example>", {filter_address, "25", "", ""});
    CHECK_EQUAL(firm.rcpt("<bob@x.de-mail.de>"), "250");
    const auto outcome = firm.session.end_of_message("4QabcdF");
    CHECK_EQUAL(std::get<Reply>(outcome).code, 451);
    firm.mail_from_anna();
    CHECK_EQUAL(firm.rcpt("<bob@x.de-mail.de>"), "250");
    CHECK_EQUAL(std::get<Reply>(firm.session.end_of_message("4QabcdF")).code, 451);
}

/// Each program of the host is at the loopback: what it hands in by sendmail(1) came from no
/// filter.
void sendmail_brings_nothing_back() {
    FilteredFirm firm;
    const std::string seal = sealed(firm);
    firm.sendmail_from("anna@firm.example");
    CHECK_EQUAL(firm.rcpt("<bob@x.de-mail.de>"), "250");
    CHECK_EQUAL(firm.rcpt("<carl@elsewhere.example>"), "250");
    CHECK_EQUAL(firm.header(with_seals({seal})), "skip body");
    CHECK_EQUAL(firm.changes().removals.size(), std::size_t{1});
}

void the_part_for_the_internet_loses_its_seal() {
    FilteredFirm firm;
    const std::string seal = sealed(firm);
    CHECK_EQUAL(brought(firm, with_seals({seal}), filter_address, "<carl@elsewhere.example>"),
                "skip body");
    CHECK_EQUAL(firm.changes().removals.size(), std::size_t{1});
}

} // namespace

int main() {
    return test::run(
        "filter_reinjection",
        {TEST(the_seal_stays_and_none_is_added), TEST(a_body_that_the_filter_changed_is_refused),
         TEST(a_seal_that_does_not_hold_is_no_identity), TEST(a_seal_that_is_too_old_is_refused),
         TEST(only_a_configured_client_may_bring_one),
         TEST(a_message_that_ends_without_its_header_is_put_off),
         TEST(sendmail_brings_nothing_back), TEST(the_part_for_the_internet_loses_its_seal)});
}
