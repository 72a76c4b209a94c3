// Who has ended when, and what a sender is told of it.
#include "check.hpp"
#include "message/ended_providers.hpp"

using namespace demail;

namespace {

EndedProviders one(const std::string &domain, const std::string &date, bool below = false,
                   const std::string &unconfirmed = "") {
    EndedProviders ended;
    ended.add(domain, {std::make_shared<EndedProvider>(
                           EndedProvider{"Old Post", date, "https://source.example", unconfirmed}),
                       below});
    return ended;
}

void a_service_has_ended_when_its_last_day_is_over() {
    const auto ended = one("old.example", "2022-08-31");
    CHECK(ended.find("old.example", "2022-08-31") == nullptr);
    CHECK(ended.find("old.example", "2022-09-01") != nullptr);
    CHECK(ended.find("old.example", "2023-01-01") != nullptr);
}

void a_month_ends_with_its_last_day() {
    const auto ended = one("old.example", "2025-05");
    CHECK(ended.find("old.example", "2025-05-31") == nullptr);
    CHECK(ended.find("old.example", "2025-06-01") != nullptr);
}

void what_lies_below_ends_with_it_where_that_is_said() {
    CHECK(one("old.example", "2022-08-31").find("a.old.example", "2026-01-01") == nullptr);
    const auto all = one("old.example", "2022-08-31", true);
    CHECK(all.find("a.b.old.example", "2026-01-01") != nullptr);
    CHECK(all.find("old.example", "2026-01-01") != nullptr);
    CHECK(all.find("very-old.example", "2026-01-01") == nullptr);
    CHECK(all.find("example", "2026-01-01") == nullptr);
    CHECK(all.find("", "2026-01-01") == nullptr);
}

void a_domain_below_may_have_another_day() {
    EndedProviders ended = one("old.example", "2022-08-31", true);
    ended.add("a.old.example", one("x.example", "2030-01-01").all().at("x.example"));
    CHECK(ended.find("b.old.example", "2026-01-01") != nullptr);
    CHECK_EQUAL(ended.find("a.old.example", "2026-01-01")->date, "2022-08-31");
    CHECK_EQUAL(ended.find("a.old.example", "2030-01-02")->date, "2030-01-01");
}

void the_reply_names_who_when_and_what_to_do() {
    CHECK_EQUAL(refusal(*one("o.example", "2022-08-31").find("o.example", "2026-01-01")).text,
                "The De-Mail provider of this domain, Old Post, ended its service on 31 August "
                "2022; write a letter or ask the recipient for another address");
    const Reply unsure =
        refusal(*one("o.example", "2025-05", false, "the date").find("o.example", "2026-01-01"));
    CHECK_EQUAL(unsure.text,
                "The De-Mail provider of this domain, Old Post, ended its service in May 2025, as "
                "far as is known; write a letter or ask the recipient for another address");
    CHECK_EQUAL(std::to_string(unsure.code) + " " + unsure.enhanced, "550 5.1.2");
}

void days_and_months_that_there_are() {
    for (const char *good : {"2022-08-31", "2024-02-29", "2025-05", "2000-02-29"})
        CHECK(is_day_or_month(good));
    for (const char *bad : {"", "2022", "2022-8-31", "2022-13-01", "2022-00", "2023-02-29",
                            "1900-02-29", "2022-04-31", "2022-08-00", "2022/08/31", "31.08.2022",
                            "2022-08-31 ", "2O22-08-31", "-022-08-31"})
        CHECK(!is_day_or_month(bad));
}

void a_day_is_counted_in_utc() {
    CHECK_EQUAL(day_of(1661990399), "2022-08-31");
    CHECK_EQUAL(day_of(1661990400), "2022-09-01");
}

} // namespace

int main() {
    return test::run(
        "ended_providers",
        {TEST(a_service_has_ended_when_its_last_day_is_over), TEST(a_month_ends_with_its_last_day),
         TEST(what_lies_below_ends_with_it_where_that_is_said),
         TEST(a_domain_below_may_have_another_day), TEST(the_reply_names_who_when_and_what_to_do),
         TEST(days_and_months_that_there_are), TEST(a_day_is_counted_in_utc)});
}
