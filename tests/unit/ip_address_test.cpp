// Client addresses as Postfix gives them, and the networks of the sender rules.
#include "check.hpp"
#include "message/rights.hpp"

using demail::IpAddress;
using demail::Network;

namespace {

bool holds(std::string_view network, std::string_view address) {
    const auto parsed = Network::parse(network);
    CHECK(parsed.has_value());
    return parsed->contains(IpAddress::parse(address).value());
}

} // namespace

static void every_form_of_an_address_is_the_same_address() {
    const auto v4 = IpAddress::parse("192.0.2.1").value();
    for (const char *text : {"::ffff:192.0.2.1", "IPv6:::ffff:192.0.2.1", "[192.0.2.1]",
                             "[IPv6:::FFFF:c000:201]", "ipv6:::ffff:192.0.2.1"})
        CHECK(IpAddress::parse(text).value().bytes() == v4.bytes());
    CHECK(IpAddress::parse("IPv6:2001:db8::1").value().bytes() ==
          IpAddress::parse("2001:DB8:0::1").value().bytes());
}

static void a_form_that_is_not_understood_is_none() {
    for (const char *text :
         {"", "unknown", "192.0.2", "192.0.2.256", "192.0.2.01", "192.0.2.1 ", "IPv6:192.0.2.1",
          "IPv6:", "[192.0.2.1", "192.0.2.1]", "[]", "[", "::1%lo", "fe80::1%eth0", "1:2:3",
          "0x7f000001", "192.0.2.1/32", "local:/run/x"})
        CHECK(!IpAddress::parse(text).has_value());
    CHECK(!IpAddress::parse(std::string_view("192.0.2.1\0x", 11)).has_value());
}

static void a_network_holds_its_addresses_and_no_others() {
    CHECK(holds("10.0.0.0/8", "10.255.255.255"));
    CHECK(!holds("10.0.0.0/8", "11.0.0.0"));
    CHECK(holds("192.0.2.128/25", "192.0.2.128"));
    CHECK(!holds("192.0.2.128/25", "192.0.2.127"));
    CHECK(holds("192.0.2.1", "192.0.2.1"));
    CHECK(!holds("192.0.2.1", "192.0.2.2"));
    CHECK(holds("2001:db8::/33", "2001:db8:7fff::1"));
    CHECK(!holds("2001:db8::/33", "2001:db8:8000::1"));
    CHECK(holds("0.0.0.0/0", "203.0.113.9"));
    CHECK(!holds("0.0.0.0/0", "2001:db8::1"));
    CHECK(holds("::ffff:10.0.0.0/104", "10.1.2.3"));
}

static void all_of_ipv6_is_not_all_of_ipv4() {
    CHECK(holds("::/0", "2001:db8::1"));
    CHECK(!holds("::/0", "192.0.2.1"));
}

static void a_network_with_host_bits_or_a_bad_prefix_is_refused() {
    for (const char *text :
         {"10.0.0.1/8", "2001:db8::1/64", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/08",
          "10.0.0.0/ 8", "10.0.0.0/8/8", "2001:db8::/129", "2001:db8::/999", "/8", "10.0.0/8", "",
          "10.0.0.0/255.0.0.0", "10.0.0.0/4294967304"})
        CHECK(!Network::parse(text).has_value());
}

static void loopback_is_known_in_every_form() {
    for (const char *text : {"127.0.0.1", "127.9.9.9", "::1", "IPv6:::1", "::ffff:127.0.0.1"})
        CHECK(IpAddress::parse(text).value().loopback());
    for (const char *text : {"128.0.0.1", "::2", "::", "0.0.0.0"})
        CHECK(!IpAddress::parse(text).value().loopback());
    for (const char *text :
         {"127.0.0.0/8", "127.0.0.1", "::1", "127.0.0.2/31", "0.0.0.0/0", "::/0"})
        CHECK(Network::parse(text).value().loopback());
    for (const char *text : {"10.0.0.0/8", "2001:db8::/32"})
        CHECK(!Network::parse(text).value().loopback());
}

int main() {
    return demail::test::run("ip address",
                             {TEST(every_form_of_an_address_is_the_same_address),
                              TEST(a_form_that_is_not_understood_is_none),
                              TEST(a_network_holds_its_addresses_and_no_others),
                              TEST(all_of_ipv6_is_not_all_of_ipv4),
                              TEST(a_network_with_host_bits_or_a_bad_prefix_is_refused),
                              TEST(loopback_is_known_in_every_form)});
}
