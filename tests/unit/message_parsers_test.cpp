// Every parser of the room against octets nobody meant: none crashes, and what it took for good
// reads back as the same. The seed is fixed, so that a failure comes again.
#include "check.hpp"
#include "message/address.hpp"
#include "message/domain_set.hpp"
#include "message/header.hpp"
#include "message/rights.hpp"

#include <random>

using demail::Address;

namespace {

constexpr int rounds = 40000;

// Strings of pieces that mean something to the parsers, and of plain noise.
class Noise {
  public:
    std::string next(const std::vector<std::string> &pieces) {
        std::string text;
        const std::size_t count = pick(24);
        for (std::size_t i = 0; i < count; ++i) {
            if (pick(6) == 0)
                text += static_cast<char>(pick(256));
            else
                text += pieces[pick(pieces.size())];
        }
        return text;
    }

  private:
    std::size_t pick(std::size_t below) { return random_() % below; }
    std::mt19937 random_{20120401};
};

const std::vector<std::string> address_pieces{
    "a",      "Anna",       "@",         "@",        "@",
    ".",      ".",          "de-mail",   "de",       "\"",
    "\\",     "(",          ")",         "<",        ">",
    "[",      "]",          ",",         ":",        ";",
    " ",      "\t",         "\r\n ",     "\n ",      "xn--bcher-kva",
    "xn--",   "\u00fc",     "\u00ad",    "\u3002",   "\uff0e",
    "\uff44", "\u200d",     "\u00df",    "\u0130",   "\u0301",
    "\u05d0", "\U0001f600", "192.0.2.1", "IPv6:::1", "-",
    "_",      "%",          "!"};

} // namespace

static void an_address_reads_back_as_itself() {
    Noise noise;
    int good = 0;
    for (int i = 0; i < rounds; ++i) {
        const auto address = Address::parse("a" + noise.next(address_pieces) + "@de" +
                                            noise.next(address_pieces).substr(0, i % 40));
        if (!address) continue;
        ++good;
        const auto again = Address::parse(address->str());
        CHECK(again.has_value());
        CHECK_EQUAL(again->str(), address->str());
        CHECK_EQUAL(again->local(), address->local());
        CHECK(again->domain_as_written());
        CHECK(*again == *address);
        CHECK_EQUAL(Address::parse(address->lower())->lower(), address->lower());
        for (const char c : address->domain())
            CHECK(c > ' ' && c <= '~' && !(c >= 'A' && c <= 'Z'));
    }
    CHECK(good > 100);
}

static void a_domain_reads_back_as_itself() {
    Noise noise;
    int good = 0;
    for (int i = 0; i < rounds; ++i) {
        const auto domain = demail::normal_domain(noise.next(address_pieces).substr(0, i % 30));
        if (!domain) continue;
        ++good;
        CHECK_EQUAL(demail::normal_domain(*domain).value_or("(none)"), *domain);
    }
    CHECK(good > 1000);
}

static void mailboxes_hold_addresses_that_read_back() {
    Noise noise;
    std::size_t good = 0;
    for (int i = 0; i < rounds; ++i) {
        const auto list = demail::parse_mailboxes(noise.next(address_pieces) + "a@de," +
                                                  noise.next({"a@b", ","}));
        if (!list) continue;
        for (const demail::Mailbox &mailbox : *list) {
            ++good;
            const auto again = Address::parse(mailbox.address.str());
            CHECK(again.has_value() && again->str() == mailbox.address.str());
        }
    }
    CHECK(good > 1000);
}

static void a_header_is_written_as_it_was_read() {
    Noise noise;
    int good = 0;
    for (int i = 0; i < rounds; ++i) {
        const std::string block = noise.next({"A", "From", ":", ":", " ", "\t", "\r\n", "\r\n",
                                              "\r\n ", "a: b\r\n", "\u00fc", "x-de-mail-private"});
        const auto fields = demail::parse_header(block);
        for (const auto &field : fields.value_or(demail::HeaderFields{})) {
            (void)demail::reads_as_demail(field.name);
            (void)field.unfolded();
            const std::string once = demail::relaxed(field);
            const auto again = demail::parse_header(once);
            CHECK(again.has_value() && again->size() == 1);
            CHECK_EQUAL(demail::relaxed(again->front()), once);
        }
        if (!fields) continue;
        ++good;
        std::string written;
        for (const auto &field : *fields)
            written += field.name + ':' + field.value + "\r\n";
        CHECK(written == block || written + "\r\n" == block || written == block + "\r\n");
    }
    CHECK(good > 1000);
}

static void a_domain_list_reads_back_as_itself() {
    Noise noise;
    int good = 0;
    for (int i = 0; i < rounds; ++i) {
        const auto set =
            demail::DomainSet::parse(noise.next({"a.de", "b.example", ".", " active", " ended",
                                                 "\n", "\n", "#", "\r\n", "\t", "de-mail.de"}));
        if (!set) continue;
        ++good;
        CHECK(demail::DomainSet::parse(set->str())->all() == set->all());
        CHECK(set->find("x.de-mail.de").has_value());
    }
    CHECK(good > 100);
}

static void networks_and_patterns_survive_noise() {
    Noise noise;
    int good = 0;
    for (int i = 0; i < rounds; ++i) {
        const std::string text = noise.next({"1", "0", "10.", "0.0", ":", "::", "ffff", "/", "8",
                                             "IPv6:", "[", "]", "*", "@", "a", ".de"});
        if (const auto network = demail::Network::parse(text)) {
            ++good;
            const auto base = demail::IpAddress::parse(text.substr(0, text.find('/')));
            CHECK(base.has_value());
            CHECK(network->contains(*base) || text.find('/') != std::string::npos);
        }
        if (const auto pattern = demail::AddressPattern::parse(text)) {
            ++good;
            const auto filled = pattern->fill("x");
            CHECK(filled.has_value());
            CHECK(pattern->match(*filled).has_value());
        }
    }
    CHECK(good > 100);
}

int main() {
    return demail::test::run(
        "message parsers",
        {TEST(an_address_reads_back_as_itself), TEST(a_domain_reads_back_as_itself),
         TEST(mailboxes_hold_addresses_that_read_back), TEST(a_header_is_written_as_it_was_read),
         TEST(a_domain_list_reads_back_as_itself), TEST(networks_and_patterns_survive_noise)});
}
