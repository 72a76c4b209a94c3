// What one decision about a De-Mail recipient costs with so many sender rules in a file: MAIL and
// RCPT through the milter's own session, senders in random order. Prints for each number of rules:
// the rules, microseconds a recipient that may be written to, of a sender without a right, of the
// relay's question about one De-Mail, and milliseconds to read the file.
#include "filter_fixture.hpp"
#include "message/sender_table.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>

using namespace demail;
using Clock = std::chrono::steady_clock;

namespace {

constexpr int decisions = 20'000, turns = 7;

std::string name(std::size_t i) {
    return "person" + std::to_string(i);
}

std::shared_ptr<const SenderTable> table_of(std::size_t rules) {
    std::string text;
    for (std::size_t i = 0; i < rules; ++i)
        text += name(i) + "@firm.example " + name(i) + "@firm.de-mail.de login=" + name(i) +
                " defaults=confirmation-of-dispatch allow=private\n";
    return std::get<0>(SenderTable::parse(std::move(text), {"f", "firm", {"firm.de-mail.de"}}));
}

/// The median of some turns, in microseconds for one.
template <typename One>
double cost(std::size_t among, const One &one) {
    std::mt19937 random(7);
    std::vector<double> found;
    for (int turn = 0; turn < turns; ++turn) {
        std::vector<std::string> names;
        for (int i = 0; i < decisions; ++i)
            names.push_back(name(random() % among));
        const auto began = Clock::now();
        for (const std::string &who : names)
            one(who);
        found.push_back(std::chrono::duration<double, std::micro>(Clock::now() - began).count() /
                        decisions);
    }
    std::nth_element(found.begin(), found.begin() + turns / 2, found.end());
    return found[turns / 2];
}

void expect(bool good) {
    if (good) return;
    std::fputs("rules: a decision is not the one that the rules say\n", stderr);
    std::exit(1);
}

void measure(std::size_t count) {
    const auto began = Clock::now();
    const auto table = table_of(count);
    const double read = std::chrono::duration<double, std::milli>(Clock::now() - began).count();
    const auto rules = std::make_shared<const SenderRules>(
        std::vector<AccountRules>{{"firm", nullptr, true, table}});
    test::Firm firm(false, false, [](filter::Settings &settings) {
        settings.domains = std::make_shared<filter::DomainList>(settings.domains->path());
    });
    firm.rules = rules;
    const auto decide = [&](const std::string &who, const std::string &login) {
        const std::string sender = "<" + who + "@firm.example>";
        firm.session.mail(sender, {"192.0.2.7", "587", login, ""});
        firm.logged.lines.clear();
        return firm.session.recipient("<bob@other.de-mail.de>", "");
    };
    const double may = cost(count, [&](const std::string &who) { expect(!decide(who, who)); });
    const double may_not =
        cost(count, [&](const std::string &who) { expect(decide(who, "other").has_value()); });
    const double relay = cost(count, [&](const std::string &who) {
        expect(rules
                   ->find_mapping("firm", *Address::parse(who + "@firm.example"),
                                  *Address::parse(who + "@firm.de-mail.de"))
                   .right.has_value());
    });
    std::printf("%zu %.3f %.3f %.3f %.1f\n", count, may, may_not, relay, read);
}

} // namespace

int main() {
    for (const std::size_t count : {10UL, 1'000UL, 100'000UL})
        measure(count);
    return 0;
}
