#include "check.hpp"
#include "filter_fixture.hpp"

#include <chrono>

using namespace demail;
using namespace demail::filter;
using demail::test::ListOnDisk;

namespace {

struct Watched {
    ListOnDisk disk;
    std::chrono::steady_clock::time_point time{};
    DomainList list{disk.path(), [this] { return time; }};

    DomainStanding find(std::string_view domain) { return list.now()->find(domain); }
    void a_second_later() { time += std::chrono::seconds(1); }
};

} // namespace

static void a_change_is_seen_a_second_later() {
    Watched watched;
    CHECK(watched.find("firm.example") == DomainStanding::ordinary);
    watched.disk.both("firm.example active\n");
    CHECK(watched.find("firm.example") == DomainStanding::ordinary);
    watched.a_second_later();
    CHECK(watched.find("firm.example") == DomainStanding::demail);
}

static void a_domain_in_the_index_alone_is_in_change() {
    Watched watched;
    watched.disk.write("domains.indexed",
                       std::string(ListOnDisk::builtin) + "firm.example active\n");
    CHECK(watched.find("firm.example") == DomainStanding::in_change);
}

static void a_domain_in_the_text_alone_is_in_change() {
    Watched watched;
    watched.disk.write("domains", std::string(ListOnDisk::builtin) + "firm.example active\n");
    CHECK(watched.find("firm.example") == DomainStanding::in_change);
}

static void an_ended_domain_is_ended() {
    Watched watched;
    watched.disk.both("firm.example ended\n");
    CHECK(watched.find("firm.example") == DomainStanding::ended);
}

static void without_an_index_de_mail_waits_and_the_rest_goes() {
    Watched watched;
    watched.disk.remove("domains.db");
    CHECK(watched.find("x.de-mail.de") == DomainStanding::unavailable);
    CHECK(watched.find("elsewhere.example") == DomainStanding::ordinary);
    watched.disk.write("domains.lmdb", "");
    watched.a_second_later();
    CHECK(watched.find("x.de-mail.de") == DomainStanding::demail);
}

static void an_unreadable_list_remembers_what_was_de_mail() {
    Watched watched;
    watched.disk.both("firm.example active\n");
    CHECK(watched.find("firm.example") == DomainStanding::demail);
    for (const char *bad : {"", "de-mail.de active\n.de-mail.de active\n\x01 what is this\n"}) {
        watched.disk.write("domains", bad);
        watched.a_second_later();
        CHECK(watched.find("firm.example") == DomainStanding::unavailable);
        CHECK(watched.find("elsewhere.example") == DomainStanding::ordinary);
    }
    watched.disk.remove("domains");
    watched.a_second_later();
    CHECK(watched.find("firm.example") == DomainStanding::unavailable);
    watched.disk.both("");
    watched.a_second_later();
    CHECK(watched.find("firm.example") == DomainStanding::ordinary);
}

static void an_index_made_from_an_empty_file_is_not_trusted() {
    Watched watched;
    watched.disk.write("domains.indexed", "");
    CHECK(watched.find("x.de-mail.de") == DomainStanding::unavailable);
}

static void a_reading_once_taken_does_not_change() {
    Watched watched;
    const auto before = watched.list.now();
    watched.disk.both("firm.example active\n");
    watched.a_second_later();
    CHECK(watched.list.now()->find("firm.example") == DomainStanding::demail);
    CHECK(before->find("firm.example") == DomainStanding::ordinary);
}

int main() {
    return test::run("filter_domain_list",
                     {TEST(a_change_is_seen_a_second_later),
                      TEST(a_domain_in_the_index_alone_is_in_change),
                      TEST(a_domain_in_the_text_alone_is_in_change), TEST(an_ended_domain_is_ended),
                      TEST(without_an_index_de_mail_waits_and_the_rest_goes),
                      TEST(an_unreadable_list_remembers_what_was_de_mail),
                      TEST(an_index_made_from_an_empty_file_is_not_trusted),
                      TEST(a_reading_once_taken_does_not_change)});
}
