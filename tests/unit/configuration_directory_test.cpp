// [directory]: what is taken, and what is said of the rest, with its place.
#include "check.hpp"
#include "configuration_text.hpp"

#include <array>

using namespace demail;
using namespace demail::test;

namespace {

/// A gateway whose account has `keys` besides, with a [directory] in which `was` is `is`.
std::string text(const std::string &was = "", const std::string &is = "",
                 const std::string &keys = "senders_file = \"/s\"\nsenders_max_age = 60\n") {
    std::string firm(account);
    firm.insert(firm.find("name = "), keys);
    std::string directory = "[directory]\n"
                            "account = \"firm\"\n"
                            "url = \"ldaps://a.example ldaps://b.example:1636\"\n"
                            "ca_file = \"/ca.pem\"\n"
                            "bind_dn = \"cn=demail\"\n"
                            "password_file = \"/password\"\n"
                            "base = \"dc=firm\"\n"
                            "filter = \"(o=%a)\"\n"
                            "as = \"deMail\"\n"
                            "allow = [\"private\"]\n";
    if (!was.empty()) directory.replace(directory.find(was), was.size(), is);
    return std::string(provider) + firm + directory;
}

} // namespace

static void a_directory_is_read_with_its_defaults() {
    const Configuration c = good(text());
    CHECK_EQUAL(c.directory->account + " " + c.directory->filter + " " + c.directory->from + " " +
                    c.directory->as + " " + c.directory->login + " " + c.directory->allow.str(),
                "firm (o=firm) mail deMail uid private");
    CHECK(c.directory->timeout == std::chrono::seconds(10));
    CHECK(!good("").directory);
    CHECK_EQUAL(good("").blocks, "/var/lib/demail/blocks/blocked");
    CHECK_EQUAL(good("[policy]\nblocks = \"/b\"\n").blocks, "/b");
}

static void a_url_that_could_go_without_tls_is_a_fault() {
    for (const std::string url :
         {"ldaps://a ldap://b", "ldap://a ldapi://b", "http://a", "ldaps://", "ldaps://a/x??sub?y",
          "ldaps://a  ldaps://b", "ldaps://a,b", "LDAPS://a"})
        CHECK(contains(faults(text("ldaps://a.example ldaps://b.example:1636", url)),
                       "url in [directory] must be ldaps://host"));
    CHECK(contains(faults(text("ca_file = \"/ca.pem\"\n", "")), "[directory] has no ca_file."));
    CHECK_EQUAL(good(text("url = \"ldaps://a.example ldaps://b.example:1636\"\nca_file = "
                          "\"/ca.pem\"\n",
                          "url = \"ldapi://%2Frun%2Fldapi\"\n"))
                    .directory->url,
                "ldapi://%2Frun%2Fldapi");
}

static void an_account_whose_file_would_never_grow_old_is_a_fault() {
    CHECK(contains(faults(text("", "", "")), "must have a senders_file"));
    CHECK(contains(faults(text("", "", "senders_file = \"/s\"\n")), "and a senders_max_age"));
    CHECK(contains(faults(text("", "", "senders_file = \"/s\"\nsenders_max_age = 59\n")),
                   "must be 60 s or more"));
    CHECK(contains(faults(text("\"firm\"", "\"fimr\"")), "no [[account]] with the name \"fimr\""));
}

static void what_is_half_or_wrong_is_said() {
    for (const auto &[was, is, said] : std::vector<std::array<std::string, 3>>{
             {"password_file = \"/password\"\n", "", "bind_dn and password_file in [directory]"},
             {"bind_dn = \"cn=demail\"\n", "", "bind_dn and password_file in [directory]"},
             {"(o=%a)", "(o=%u)", "filter in [directory] must be a search filter"},
             {"(o=%a)", "o=%a", "filter in [directory] must be a search filter"},
             {"as = \"deMail\"\n", "", "does not say as"},
             {"deMail", "de(Mail", "must be the name of an attribute"},
             {"private", "privat", "unknown option \"privat\" in allow"},
             {"base", "bass", "unknown key \"bass\" in [directory]"}})
        CHECK(contains(faults(text(was, is)), said));
}

int main() {
    return run("configuration_directory",
               {TEST(a_directory_is_read_with_its_defaults),
                TEST(a_url_that_could_go_without_tls_is_a_fault),
                TEST(an_account_whose_file_would_never_grow_old_is_a_fault),
                TEST(what_is_half_or_wrong_is_said)});
}
