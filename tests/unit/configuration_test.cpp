#include "admin/configuration.hpp"
#include "base/edit_distance.hpp"
#include "check.hpp"
#include "configuration_text.hpp"
#include "daemon/toml_section.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

using demail::Configuration;
using demail::ConfigurationFault;
using namespace demail::test;

static void an_empty_file_means_the_defaults() {
    const Configuration configuration = good("");
    CHECK(!configuration.observe);
    CHECK_EQUAL(configuration.milter_socket, "/var/spool/postfix/demail-milter/milter.sock");
    CHECK_EQUAL(configuration.seal_key_file, "/etc/demail/seal.key");
    CHECK(!configuration.schema_directory.empty());
    CHECK(configuration.accounts.empty());
}

static void every_key_is_read() {
    const Configuration c = good(R"(mode = "observe"
[milter]
socket = "/m.sock"
[relay]
lmtp = "/l.sock"
lmtp_peer = "mail"
deliver_to = "unix:/in"
domains = "/domains"
evidence = "/evidence"
journal = "sqlite3:///journal.db"
spool = "/spool"
refused_pins = "/refused"
control_socket = "/c.sock"
postfix_configuration = "/etc/postfix"
schema_directory = "/xsd"
domains_refresh = 5
domains_settle = 0
lookup_pause = 1
[seal]
key_file = "/seal.key"
lifetime_days = 2
[policy]
mixed_recipients = "refuse"
ended_providers = "/ended.toml"
shipped_ended_providers = "/shipped.toml"
)" + with_rule(R"(from = "*@firm.example"
as = "*@firm.de-mail.de"
login = "*"
network = ["10.0.0.0/8", "2001:db8::/32"]
defaults = ["confirmation-of-dispatch"]
allow = ["private", "authoritative"]
automatic = true
[[account.mailbox]]
address = "*@firm.de-mail.de"
deliver = "*@firm.example"
)"));
    CHECK(c.observe);
    CHECK_EQUAL(c.milter_socket + c.lmtp_socket + c.control_socket, "/m.sock/l.sock/c.sock");
    CHECK_EQUAL(c.lmtp_peer, "mail");
    CHECK_EQUAL(c.deliver_to, "unix:/in");
    CHECK_EQUAL(c.domains + c.evidence + c.spool + c.refused_pins + c.schema_directory,
                "/domains/evidence/spool/refused/xsd");
    CHECK_EQUAL(c.journal, "sqlite3:///journal.db");
    CHECK_EQUAL(c.postfix_configuration, "/etc/postfix");
    CHECK_EQUAL(c.domains_refresh.count(), 5);
    CHECK_EQUAL(c.domains_settle.count(), 0);
    CHECK_EQUAL(c.lookup_pause.count(), 1);
    CHECK_EQUAL(c.seal_lifetime.count(), 2 * 86400);
    CHECK(c.refuse_mixed_recipients);
    CHECK_EQUAL(c.ended_providers + c.shipped_ended_providers, "/ended.toml/shipped.toml");
    CHECK_EQUAL(c.providers.at(0).endpoint, "https://gate.example:8443/demail");
    CHECK_EQUAL(c.accounts.at(0).domains.at(0), "firm.de-mail.de");
    CHECK_EQUAL(c.accounts.at(0).mailboxes.size(), 1U);
    const demail::SenderRule &rule = c.rules.accounts().at(0).rules->at(0);
    CHECK_EQUAL(rule.account, "firm");
    CHECK_EQUAL(rule.login, "*");
    CHECK(rule.automatic);
    CHECK_EQUAL(rule.networks.size(), 2U);
    CHECK_EQUAL(rule.defaults.str(), "confirmation-of-dispatch");
    CHECK_EQUAL(rule.allow.str(), "authoritative,private");
    CHECK(c.warnings.empty());
}

static void tls_is_limited_per_provider() {
    const Configuration c = good(std::string(provider) + R"([provider.tls]
minimum = "1.2"
maximum = "1.3"
ciphers = "ECDHE-RSA-AES256-SHA384"
ciphersuites = "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256"
groups = ["P-521", "brainpoolP256r1"]
signature_algorithms = ["RSA+SHA256", "rsa_pss_rsae_sha256"]
[[provider]]
name = "other"
profile = "reference"
endpoint = "https://other.example/demail"
ca_file = "/etc/demail/ca.pem"
reply_signer = ["/etc/demail/signer.pem"]
auth_key = "pkcs11:object=other"
)");
    const auto &tls = c.providers.at(0).tls;
    CHECK_EQUAL(tls.minimum, 0x0303); // RFC 5246 6.2.1
    CHECK_EQUAL(tls.maximum, 0x0304); // RFC 8446 4.2.1
    CHECK_EQUAL(tls.ciphers, "ECDHE-RSA-AES256-SHA384");
    CHECK_EQUAL(tls.ciphersuites, "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256");
    CHECK_EQUAL(tls.groups.at(1), "brainpoolP256r1");
    CHECK_EQUAL(tls.signature_algorithms.at(0), "RSA+SHA256");
    CHECK_EQUAL(c.providers.at(1).tls.minimum, 0x0303);
    CHECK_EQUAL(c.providers.at(1).tls.maximum, 0);
    CHECK(c.providers.at(1).tls.groups.empty());
}

static void limits_of_tls_are_checked_by_openssl() {
    const auto said = [](const std::string &line) {
        return faults(std::string(provider) + "[provider.tls]\n" + line + "\n");
    };
    CHECK_EQUAL(said("minimum = \"1.1\""),
                "f:9:11: minimum in [provider.tls] must be \"1.2\" or \"1.3\".\n");
    CHECK_EQUAL(said("minimum = \"1.3\"\nmaximum = \"1.2\""),
                "f:10:11: maximum in [provider.tls] is less than minimum.\n");
    CHECK_EQUAL(said("ciphers = \"ECDHE-RSA-AES256-SHA384:ECDHE-TYPO\""),
                "f:9:11: ciphers in [provider.tls] names no cipher of TLS 1.2 by "
                "\"ECDHE-TYPO\".\n");
    CHECK(
        contains(said("ciphers = \"HIGH:!HIGH\""), "f:9:11: ciphers in [provider.tls] leaves no"));
    CHECK(contains(said("ciphers = \"ALL:eNULL:@SECLEVEL=0\""), "does not encrypt"));
    CHECK(contains(said("ciphers = \"HIGH:aNULL:@SECLEVEL=0\""), "proves no server"));
    CHECK(contains(said("ciphers = \"ADH-AES256-GCM-SHA384:@SECLEVEL=0\""),
                   "\"ADH-AES256-GCM-SHA384\", which"));
    CHECK_EQUAL(said("ciphers = \"HIGH:!aNULL:!kRSA:-SHA1:@STRENGTH\""), "");
    CHECK(contains(said("ciphersuites = \"TLS_AES_256_GCM_SHA384:TLS_NO\""),
                   "f:9:16: ciphersuites in [provider.tls] names no cipher suite of TLS 1.3 by "
                   "\"TLS_NO\"."));
    CHECK(contains(said("groups = [\"P-521\", \"P-522\"]"),
                   "f:9:20: groups in [provider.tls] names no group of TLS by \"P-522\"."));
    CHECK(contains(said("groups = [\"P-521:P-256\"]"), "f:9:11: groups"));
    CHECK(contains(said("signature_algorithms = [\"RSA+MD6\"]"),
                   "f:9:25: signature_algorithms in [provider.tls] names no signature algorithm"));
    CHECK(contains(said("cipher = \"HIGH\""), "unknown key \"cipher\" in [provider.tls]"));
}

static void the_sign_key_is_the_auth_key_where_none_is_named() {
    const Configuration c =
        good(std::string(provider) + std::string(account) + "auth_key = \"pkcs11:object=own\"\n");
    CHECK_EQUAL(c.providers.at(0).sign_key, c.providers.at(0).auth_key);
    CHECK_EQUAL(c.accounts.at(0).sign_key, "pkcs11:object=own");
}

static void signers_are_digests_or_paths() {
    const std::string digits(64, 'A');
    std::string text(provider);
    text.replace(text.find("/etc/demail/signer.pem"), 22, "sha256:" + digits);
    CHECK_EQUAL(good(text).providers.at(0).reply_signer.at(0), "sha256:" + std::string(64, 'a'));
    text.replace(text.find("sha256:"), 8, "sha256:");
    CHECK(contains(faults(text), "f:6:17: reply_signer"));
    text.replace(text.find("reply_signer"), 12, "#");
    CHECK(contains(faults(text), "f:1:1: [[provider]] has no reply_signer"));
}

static void all_faults_are_reported_in_order() {
    CHECK_EQUAL(faults("mode = \"watch\"\n"
                       "[milter]\n"
                       "sokcet = \"/x\"\n"
                       "[relay]\n"
                       "domains = \"domains\"\n"
                       "lookup_pause = \"1\"\n"),
                "f:1:8: mode must be \"enforce\" or \"observe\".\n"
                "f:3:1: unknown key \"sokcet\" in [milter]; the nearest known key is \"socket\".\n"
                "f:5:11: domains in [relay] must be an absolute path without a slash at its end.\n"
                "f:6:16: lookup_pause in [relay] must be an integer, not a string.\n");
}

static void evidence_is_kept_for_seven_years_unless_something_else_is_said() {
    CHECK(good("").retention == std::chrono::days(2557));
    const std::string firm(account);
    Configuration c = good("[retention]\ndays = 40\n" + std::string(provider) + firm);
    CHECK(retention_of(c, "firm") == std::chrono::days(40));
    CHECK(retention_of(c, "no longer configured") == std::chrono::days(40));
    const std::size_t name = firm.find("name = ");
    c = good("[retention]\ndays = 40\n" + std::string(provider) + firm.substr(0, name) +
             "retention_days = 3653\n" + firm.substr(name));
    CHECK(retention_of(c, "firm") == std::chrono::days(3653));
    CHECK(retention_of(c, "other") == std::chrono::days(40));
    CHECK(contains(faults("[retention]\ndays = 29\n"), "f:2:8: days in [retention] must be"));
    // What Postfix may still bring must find what was sent.
    CHECK(contains(faults("[seal]\nlifetime_days = 60\n[retention]\ndays = 60\n"),
                   "must be more than lifetime_days in [seal]"));
}

static void reserved_tables_are_not_taken_for_working_ones() {
    for (const std::string name : {"poll", "alarm", "status", "hook"})
        CHECK_EQUAL(faults("[" + name + "]\n"),
                    "f:1:1: [" + name + "] is reserved for a later version.\n");
}

static void broken_toml_is_a_fault_and_never_an_abort() {
    for (const char *text : {"[é]", "[[[a]]", "[[=", "a = ", "mode = \"enforce", "\xff\xfe",
                             "a = 1\na = 2\n", "[seal]\n[seal]\n"})
        CHECK(contains(faults(text), "f:"));
    CHECK(contains(faults("mode = \"enforce\"\nmode = \"observe\"\n"), "f:2:"));
    CHECK(contains(faults(std::string(5 << 20, '#')), "larger than 4 MiB"));
}

static void a_fault_cannot_smuggle_controls_onto_the_terminal() {
    const std::string all = faults("\"\\u001b[2J\" = 1\n");
    CHECK(contains(all, R"(\x1b[2J)"));
    CHECK(!contains(all, "\x1b"));
    CHECK(contains(faults("[milter]\nsocket = \"/a\\u0000b\"\n"), "control character"));
}

static void the_journal_is_sqlite_with_an_absolute_path_or_postgresql() {
    CHECK(contains(faults("[relay]\njournal = \"sqlite3://journal.db\"\n"), "f:2:11: journal"));
    CHECK(contains(faults("[relay]\njournal = \"mysql://h/d\"\n"), "f:2:11: journal"));
    for (const std::string url :
         {"postgresql:///demail", "postgresql://demail@db.example:5433/demail?sslmode=verify-full",
          "postgresql://a:5432,b:5432/demail?passfile=/etc/demail/journal.pass",
          "postgresql://[2001:db8::1]:5432/demail", "postgresql://%2Frun%2Fpostgresql/demail"}) {
        const auto read = demail::parse_configuration("[relay]\njournal = \"" + url + "\"\n", "f");
        CHECK_EQUAL(std::get<demail::Configuration>(read).journal, url);
    }
}

static void a_journals_password_is_in_a_file() {
    for (const std::string url :
         {"postgresql://demail:secret@h/d", "postgresql://h/d?password=secret",
          "postgresql://h/d?sslpassword=secret", "postgresql://demail:s@cret@h/d"}) {
        const std::string all = faults("[relay]\njournal = \"" + url + "\"\n");
        CHECK(contains(all, "f:2:11: journal in [relay] must not hold a password"));
        CHECK(!contains(all, "secret"));
    }
    CHECK(contains(faults("[relay]\njournal = \"postgresql://h/a b\"\n"), "visible ASCII"));
}

static void a_relay_has_a_name_of_its_own() {
    const auto read = demail::parse_configuration("[relay]\nname = \"mail-2.firm.example\"\n", "f");
    CHECK_EQUAL(std::get<demail::Configuration>(read).relay_name, "mail-2.firm.example");
    CHECK(contains(faults("[relay]\nname = \"a b\"\n"), "f:2:8: name in [relay]"));
}

static void endpoints_are_https_only() {
    for (const std::string url : {"http://a/", "https://", "https:///x", "https://u:p@a/",
                                  "https://a/#b", "https://a/ b"}) {
        std::string text(provider);
        text.replace(text.find("https://gate.example:8443/demail"), 32, url);
        CHECK(contains(faults(text), "f:4:12: endpoint"));
    }
}

static void names_are_unique_and_known() {
    CHECK(contains(faults(std::string(provider) + std::string(provider)), "f:9:8: there are two"));
    CHECK(contains(faults(std::string(account)), "f:3:12: there is no [[provider]]"));
    CHECK(contains(faults(std::string(provider) + std::string(account) + std::string(account)),
                   "f:13:8: there are two accounts"));
}

static void other_profiles_are_refused() {
    std::string text(provider);
    text.replace(text.find("reference"), 9, "telekom");
    CHECK(contains(faults(text), "f:3:11: profile \"telekom\" is not in this version"));
}

static void recipients_are_looked_up_for_private_letters_always_or_never() {
    using demail::LookUps;
    const auto with = [](std::string_view line) { return std::string(provider) + line.data(); };
    CHECK(good(provider).providers.at(0).look_ups == LookUps::for_private);
    for (const auto &[line, look_ups] :
         {std::pair("lookup_recipients = \"private\"\n", LookUps::for_private),
          std::pair("lookup_recipients = \"always\"\n", LookUps::always),
          std::pair("lookup_recipients = \"never\"\n", LookUps::never)})
        CHECK(good(with(line)).providers.at(0).look_ups == look_ups);
    CHECK(
        contains(faults(with("lookup_recipients = \"sometimes\"\n")), "f:8:21: lookup_recipients"));
}

static void keys_are_pkcs11_uris() {
    std::string text(provider);
    text.replace(text.find("pkcs11:"), 7, "file:");
    CHECK(contains(faults(text), "f:7:12: auth_key"));
    text.replace(text.find("auth_key"), 8, "#");
    CHECK(contains(faults(text + std::string(account)), "f:8:1: neither this [[account]]"));
}

static void the_distance_of_words_counts_edits() {
    CHECK_EQUAL(demail::edit_distance("sokcet", "socket"), 2U);
    CHECK_EQUAL(demail::edit_distance("", "abc"), 3U);
    CHECK_EQUAL(demail::edit_distance("same", "same"), 0U);
}

static void a_missing_file_is_a_fault_of_the_file() {
    const auto result = demail::read_configuration("/nonexistent/demail.toml");
    const auto *list = std::get_if<std::vector<ConfigurationFault>>(&result);
    CHECK(list != nullptr);
    CHECK_EQUAL(list->at(0).str(), "/nonexistent/demail.toml: there is no such file.");
    const auto device = demail::read_configuration("/dev/zero");
    CHECK_EQUAL(std::get<std::vector<ConfigurationFault>>(device).at(0).str(),
                "/dev/zero: this is no regular file.");
}

int main() {
    return demail::test::run("configuration",
                             {TEST(an_empty_file_means_the_defaults),
                              TEST(every_key_is_read),
                              TEST(tls_is_limited_per_provider),
                              TEST(limits_of_tls_are_checked_by_openssl),
                              TEST(the_sign_key_is_the_auth_key_where_none_is_named),
                              TEST(signers_are_digests_or_paths),
                              TEST(all_faults_are_reported_in_order),
                              TEST(evidence_is_kept_for_seven_years_unless_something_else_is_said),
                              TEST(reserved_tables_are_not_taken_for_working_ones),
                              TEST(broken_toml_is_a_fault_and_never_an_abort),
                              TEST(a_fault_cannot_smuggle_controls_onto_the_terminal),
                              TEST(the_journal_is_sqlite_with_an_absolute_path_or_postgresql),
                              TEST(a_journals_password_is_in_a_file),
                              TEST(a_relay_has_a_name_of_its_own),
                              TEST(endpoints_are_https_only),
                              TEST(names_are_unique_and_known),
                              TEST(other_profiles_are_refused),
                              TEST(recipients_are_looked_up_for_private_letters_always_or_never),
                              TEST(keys_are_pkcs11_uris),
                              TEST(the_distance_of_words_counts_edits),
                              TEST(a_missing_file_is_a_fault_of_the_file)});
}
