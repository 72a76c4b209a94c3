// What a directory's entries may become: rules as the daemons read them, or nothing at all.
#include "admin/search_filter.hpp"
#include "base/file.hpp"
#include "check.hpp"
#include "directory/entry_rules.hpp"
#include "directory/output_file.hpp"
#include "temporary_directory.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <ctime>

using namespace demail;
using namespace demail::directory;

namespace {

EntryRules firm() {
    RuleTemplate common{"firm", {"firm.de-mail.de"}, {}, {}};
    common.allow.set(Option::personal);
    return EntryRules(common);
}

Entry anna() {
    return {"uid=anna,dc=firm", {"Anna@firm.example"}, {"anna@firm.de-mail.de"}, {"anna"}, {}, {}};
}

std::string added(const Entry &entry) {
    auto rules = firm();
    return rules.add(entry);
}

bool contains(const std::string &text, const std::string &part) {
    return text.find(part) != std::string::npos;
}

} // namespace

static void an_entry_becomes_a_line_that_the_daemons_read() {
    auto rules = firm();
    Entry bea = anna();
    bea.from = {"bea@firm.example"};
    bea.as = {"bea@firm.de-mail.de"};
    bea.login = {"beá"};
    bea.defaults = {"confirmation-of-dispatch"};
    bea.allow = {"authoritative", "confirmation-of-receipt"};
    CHECK_EQUAL(rules.add(bea), "");
    CHECK_EQUAL(rules.add(anna()), "");
    CHECK_EQUAL(rules.text(),
                "anna@firm.example anna@firm.de-mail.de login=anna allow=private\n"
                "bea@firm.example bea@firm.de-mail.de login=beá defaults=confirmation-of-dispatch "
                "allow=confirmation-of-receipt,authoritative,private\n");
    const auto table = SenderTable::parse(rules.text(), {"f", "firm", {"firm.de-mail.de"}});
    CHECK_EQUAL(std::get<0>(table)->size(), 2U);
    CHECK_EQUAL(firm().text(), "");
}

static void one_value_is_needed_and_one_alone() {
    for (auto member : {&Entry::from, &Entry::as, &Entry::login}) {
        Entry entry = anna();
        (entry.*member).clear();
        CHECK(contains(added(entry), "has no "));
        entry = anna();
        (entry.*member).push_back((entry.*member).front());
        CHECK(contains(added(entry), "has more than one "));
        entry = anna();
        (entry.*member).front() = "";
        CHECK(contains(added(entry), "has an empty "));
        (entry.*member).front() = std::string(400, 'a');
        CHECK(contains(added(entry), "overlong"));
    }
}

static void two_entries_with_one_address_are_none() {
    Entry same_sender = anna(), same_demail = anna();
    same_sender.as = {"bea@firm.de-mail.de"};
    same_demail.from = {"bea@firm.example"};
    for (const Entry &second : {anna(), same_sender, same_demail}) {
        auto rules = firm();
        CHECK_EQUAL(rules.add(anna()), "");
        CHECK(contains(rules.add(second), " address as another, "));
    }
}

static void hostile_values_make_no_rule() {
    const std::string evil = "eve@evil.example eve@firm.de-mail.de login=any\n";
    const std::vector<std::string> addresses{"anna@firm.example\n" + evil,
                                             "anna@firm.example eve@firm.de-mail.de",
                                             "*@firm.example",
                                             "an*na@firm.example",
                                             "\"a b\"@firm.example",
                                             "<anna@firm.example>",
                                             "anna (x)@firm.example",
                                             "anna@firm.example\r",
                                             "anna@firm.example\t",
                                             std::string("anna@firm.example\0", 18),
                                             "anna@[192.0.2.1]",
                                             "@a.example:anna@firm.example",
                                             "a@b.example,c@d.example",
                                             "#anna@firm.example",
                                             "anna",
                                             "anna@firm.example\xff"};
    for (const std::string &one : addresses) {
        Entry entry = anna();
        entry.from = {one};
        CHECK(!added(entry).empty());
        entry = anna();
        entry.as = {one};
        CHECK(!added(entry).empty());
    }
    for (const std::string one : {"anna\n", "anna allow=private", "anna\tlocal", "any", "*", "a*",
                                  "anna\x7f", "anna\xff", "anna\r"}) {
        Entry entry = anna();
        entry.login = {one};
        CHECK(!added(entry).empty());
    }
    for (const std::string one : {"privat", "private,authoritative", "private ", ""}) {
        Entry entry = anna();
        entry.allow = {one};
        CHECK(!added(entry).empty());
        entry = anna();
        entry.defaults = {one};
        CHECK(!added(entry).empty());
    }
    Entry many = anna();
    many.allow.assign(17, "private");
    CHECK(!added(many).empty());
}

static void an_account_lends_no_strangers_de_mail_address() {
    Entry entry = anna();
    entry.as = {"anna@other.de-mail.de"};
    CHECK(contains(added(entry), "none of the account's domains"));
}

static void a_sentence_shows_the_entry_and_steers_no_terminal() {
    Entry entry = anna();
    entry.name = "uid=\x1b[2J\n" + std::string(1000, 'x');
    entry.login.clear();
    const std::string sentence = added(entry);
    CHECK(contains(sentence, "has no login"));
    CHECK(sentence.size() < 1200);
    CHECK(sentence.find('\x1b') == std::string::npos && sentence.find('\n') == std::string::npos);
}

static void a_value_in_a_filter_stays_a_value() {
    CHECK_EQUAL(escaped_value("firm"), "firm");
    CHECK_EQUAL(escaped_value("a)(uid=*\\"), "a\\29\\28uid=\\2a\\5c");
    CHECK_EQUAL(escaped_value(std::string("\0 ä", 4)), "\\00\\20\\c3\\a4");
    const auto filter = [](std::string_view text, std::string_view account) {
        const auto made = search_filter(text, account);
        const auto *good = std::get_if<std::string>(&made);
        return good == nullptr ? "no filter" : *good;
    };
    CHECK_EQUAL(filter("(&(o=%a)(p=100%%))", "f)(x"), "(&(o=f\\29\\28x)(p=100%))");
    for (const std::string bad :
         {"", "uid=*", "(uid=*", "(uid=*))", "(a=b)(c=d)", "(o=%d)", "(o=%)", "(o=a)%", ")("})
        CHECK_EQUAL(filter(bad, "firm"), "no filter");
}

static void a_file_that_says_it_already_is_touched_and_else_exchanged() {
    const test::TemporaryDirectory directory;
    const std::string file = directory.path() + "/senders";
    CHECK(write_output(file, "the file", "one\n").changed);
    struct stat first {
    }, second{};
    const timespec old[2]{{1000, 0}, {1000, 0}};
    CHECK_EQUAL(::utimensat(AT_FDCWD, file.c_str(), old, 0), 0);
    CHECK_EQUAL(::stat(file.c_str(), &first), 0);
    CHECK(!write_output(file, "the file", "one\n").changed);
    CHECK_EQUAL(::stat(file.c_str(), &second), 0);
    CHECK_EQUAL(first.st_ino, second.st_ino);
    CHECK(second.st_mtime > std::time(nullptr) - 60);
    CHECK(write_output(file, "the file", "").changed);
    CHECK_EQUAL(read_file(file).value_or("none"), "");
    CHECK_EQUAL(::chmod(file.c_str(), 0666), 0);
    CHECK(write_output(file, "the file", "").changed);
    CHECK_EQUAL(::stat(file.c_str(), &second), 0);
    CHECK_EQUAL(second.st_mode & 07777U, 0644U);
    const auto nowhere = write_output("/nowhere/senders", "the file", "");
    CHECK(contains(nowhere.fault, "/nowhere/senders cannot be written"));
}

int main() {
    return test::run(
        "directory",
        {TEST(an_entry_becomes_a_line_that_the_daemons_read),
         TEST(one_value_is_needed_and_one_alone), TEST(two_entries_with_one_address_are_none),
         TEST(hostile_values_make_no_rule), TEST(an_account_lends_no_strangers_de_mail_address),
         TEST(a_sentence_shows_the_entry_and_steers_no_terminal),
         TEST(a_value_in_a_filter_stays_a_value),
         TEST(a_file_that_says_it_already_is_touched_and_else_exchanged)});
}
