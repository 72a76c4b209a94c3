// What doctor makes of Postfix's configuration, as postconf(1) told it on a Debian 12.
#include "check.hpp"
#include "programs/ctl_doctor.hpp"
#include "programs/ctl_doctor_host.hpp"
#include "programs/ctl_doctor_postfix.hpp"

#include <random>

using namespace demail;
using namespace demail::ctl;

namespace {

constexpr const char *strange = "regexp:/usr/share/postfix-demail/strange-address";
constexpr const char *hidden = "regexp:/var/lib/demail/domains.hidden";
constexpr const char *our_map =
    "regexp:/usr/share/postfix-demail/strange-address, regexp:/var/lib/demail/domains.hidden, "
    "pipemap:{hash:/var/lib/demail/domains, static:{demail:unix:demail-relay/lmtp.sock}}";

// postconf -x, postconf -M and postconf -Px of a host that took over what setup --print showed.
constexpr const char *main_cf = R"(config_directory = /etc/postfix
default_database_type = hash
demail_destination_recipient_limit = 0
enable_idna2003_compatibility = no
enable_long_queue_ids = yes
mail_version = 3.7.11
mailbox_size_limit = 51200000
maximal_queue_lifetime = 5d
message_size_limit = 47185920
milter_protocol = 6
mydestination = mail.firm.example, localhost
myorigin = firm.example
non_smtpd_milters = { unix:demail-milter/milter.sock, default_action=tempfail }
queue_directory = /var/spool/postfix
smtp_body_checks = regexp:/usr/share/postfix-demail/strip-seal-lines
smtp_header_checks = regexp:/usr/share/postfix-demail/strip-seal
smtp_nested_header_checks = regexp:/usr/share/postfix-demail/strip-seal
smtpd_authorized_xforward_hosts =
smtpd_forbid_bare_newline = yes
smtpd_forbid_bare_newline_exclusions =
smtpd_milters = { unix:demail-milter/milter.sock, default_action=tempfail }
transport_maps = regexp:/usr/share/postfix-demail/strange-address, regexp:/var/lib/demail/domains.hidden, pipemap:{hash:/var/lib/demail/domains, static:{demail:unix:demail-relay/lmtp.sock}}
virtual_mailbox_domains = firm.example
virtual_mailbox_limit = 51200000
)";
const std::vector<std::string> master_cf = {
    "smtp       inet  n       -       y       -       -       smtpd",
    "pickup     unix  n       -       y       60      1       pickup",
    "cleanup    unix  n       -       y       -       0       cleanup",
    "smtp       unix  -       -       y       -       -       smtp",
    "relay      unix  -       -       y       -       -       smtp -o syslog_name=postfix/relay",
    "demail     unix  -       -       n       -       -       lmtp -o "
    "lmtp_send_xforward_command=yes "
    "-o lmtp_line_length_limit=0 -o lmtp_header_checks= -o lmtp_generic_maps= "
    "-o lmtp_fallback_relay=",
    "demail-in  unix  n       -       n       -       -       smtpd -o {smtpd_milters={ "
    "unix:demail-milter/milter.sock, default_action=tempfail }}"};
constexpr const char *options = R"(relay/unix/syslog_name = postfix/relay
demail/unix/lmtp_send_xforward_command = yes
demail/unix/lmtp_line_length_limit = 0
demail/unix/lmtp_header_checks =
demail/unix/lmtp_generic_maps =
demail/unix/lmtp_fallback_relay =
demail-in/unix/smtpd_milters = { unix:demail-milter/milter.sock, default_action=tempfail }
)";

struct Given {
    PostfixFacts::Settings main, master;
    std::vector<std::string> services;
    Tables tables;
};

PostfixView view_of(const Given &given = {}) {
    PostfixView view;
    view.facts.expanded = PostfixFacts::parse(main_cf);
    for (const auto &[name, value] : given.main)
        view.facts.expanded[name] = value;
    view.facts.settings = view.facts.expanded;
    view.facts.services = master_cf;
    for (const std::string &one : given.services)
        view.facts.services.push_back(one);
    view.facts.overrides = PostfixFacts::parse(options);
    for (const auto &[name, value] : given.master)
        view.facts.overrides[name] = value;
    view.tables = given.tables;
    view.tables[strange] = view.tables[hidden] = {}; // they know none of what they are asked
    view.directory = "/etc/postfix";
    view.wishes = {"demail-milter/milter.sock", "/var/spool/postfix/demail-milter/milter.sock",
                   "demail-relay/lmtp.sock",    "/var/lib/demail/domains",
                   "/usr/share/postfix-demail", "demail-in"};
    view.domains.set("town.example", DomainState::active);
    view.seal_lifetime = std::chrono::days(6);
    return view;
}

/// "name: result" of all that is not good.
std::string open_of(const Given &given) {
    std::string text;
    for (const Check &one : check_postfix(view_of(given)))
        if (one.verdict != Verdict::good)
            text += (text.empty() ? "" : ", ") + one.name + ": " + std::string(word(one.verdict));
    return text;
}

TableFacts entries(const std::string &text) {
    return {text, {}};
}

TableFacts answers(const std::string &key, const std::string &value) {
    TableFacts facts;
    facts.answers[key] = {true, value};
    return facts;
}

} // namespace

static void a_host_that_took_over_every_line_has_nothing_open() {
    CHECK_EQUAL(open_of({}), "");
    for (const Check &one : check_postfix(view_of()))
        CHECK_EQUAL(one.remedy, "");
}

static void a_missing_line_is_named_with_the_line_to_write() {
    PostfixView view = view_of({{{"enable_long_queue_ids", "no"}}, {}, {}, {}});
    for (const Check &one : check_postfix(view)) {
        if (one.verdict == Verdict::good) continue;
        CHECK_EQUAL(one.where, "/etc/postfix/main.cf: enable_long_queue_ids");
        CHECK_EQUAL(one.remedy, "write into main.cf: enable_long_queue_ids = yes");
    }
    CHECK_EQUAL(open_of({{{"enable_long_queue_ids", "no"}}, {}, {}, {}}),
                "enable_long_queue_ids: bad");
}

static void a_postfix_before_3_is_too_old() {
    CHECK_EQUAL(open_of({{{"mail_version", "2.11.3"}}, {}, {}, {}}), "version: bad");
    CHECK_EQUAL(open_of({{{"mail_version", ""}}, {}, {}, {}}), "version: unknown");
    CHECK_EQUAL(open_of({{{"mail_version", "3.9.0"}}, {}, {}, {}}), "");
}

static void an_option_of_a_service_counts_more_than_main_cf() {
    CHECK_EQUAL(
        open_of(
            {{}, {{"submission/inet/smtpd_milters", ""}}, {"submission inet n - y - - smtpd"}, {}}),
        "smtpd submission inet: bad");
    CHECK_EQUAL(open_of({{}, {{"pickup/unix/receive_override_options", "no_milters"}}, {}, {}}),
                "pickup: bad");
    CHECK_EQUAL(open_of({{}, {{"cleanup/unix/always_bcc", "a@b.example"}}, {}, {}}),
                "always_bcc: bad");
}

static void a_port_for_a_content_filter_needs_no_milter_but_only_on_this_host() {
    Given given{{{"content_filter", "scan:[127.0.0.1]:10024"}},
                {{"127.0.0.1:10025/inet/receive_override_options", "no_milters"},
                 {"scan/unix/smtp_header_checks", ""},
                 {"scan/unix/smtp_nested_header_checks", ""}},
                {"127.0.0.1:10025 inet n - y - - smtpd", "scan unix - - y - - smtp"},
                {}};
    CHECK_EQUAL(open_of(given), "");
    given.services.front() = "10025 inet n - y - - smtpd";
    given.master = {{"10025/inet/receive_override_options", "no_milters"},
                    {"scan/unix/smtp_header_checks", ""}};
    CHECK_EQUAL(open_of(given), "smtpd 10025 inet: bad");
    given.main["content_filter"] = "";
    CHECK_EQUAL(open_of(given), "smtpd 10025 inet: bad, transport scan: bad");
}

static void a_more_exact_key_wins_over_our_map_wherever_its_table_stands() {
    const std::string behind = std::string(our_map) + ", hash:/t";
    const auto with = [&](const std::string &maps, const std::string &text) {
        return open_of({{{"transport_maps", maps}}, {}, {}, {{"hash:/t", entries(text)}}});
    };
    CHECK_EQUAL(with(behind, "x.de-mail.de\tsmtp:[a]\n"), "transport_maps: bad");
    CHECK_EQUAL(with(behind, "bob@de-mail.de\tsmtp:[a]\n"), "transport_maps: bad");
    // The very keys of ours: whoever stands first.
    CHECK_EQUAL(with(behind, "town.example\tsmtp:[a]\n"), "");
    CHECK_EQUAL(with(std::string(strange) + ", " + hidden +
                         ", hash:/t, pipemap:{hash:/var/lib/demail/domains, "
                         "static:{demail:unix:demail-relay/lmtp.sock}}",
                     "town.example\tsmtp:[a]\n"),
                "transport_maps: bad");
    CHECK_EQUAL(with(behind, "*\tsmtp:[a]\nother.example\tsmtp:\n"), "");
    CHECK_EQUAL(with(behind, "bob@de-mail.de\tdemail:unix:demail-relay/lmtp.sock\n"), "");
}

static void patterns_are_asked_for_whole_addresses_before_our_domains() {
    const std::string behind = std::string(our_map) + ", regexp:/t";
    CHECK_EQUAL(open_of({{{"transport_maps", behind}},
                         {},
                         {},
                         {{"regexp:/t", answers("demail-doctor@de-mail.de", "smtp:[a]")}}}),
                "transport_maps: bad");
    CHECK_EQUAL(open_of({{{"transport_maps", behind}},
                         {},
                         {},
                         {{"regexp:/t", answers("demail-doctor.de-mail.de", "smtp:[a]")}}}),
                "");
    TableFacts silent;
    silent.answers["demail-doctor@de-mail.de"] = {false, std::nullopt};
    CHECK_EQUAL(open_of({{{"transport_maps", behind}}, {}, {}, {{"regexp:/t", silent}}}),
                "transport_maps: unknown");
}

static void actions_are_read_behind_the_pattern() {
    const auto with = [](const std::string &text) {
        return open_of({{{"header_checks", "regexp:/c"}}, {}, {}, {{"regexp:/c", entries(text)}}});
    };
    CHECK_EQUAL(with("/^X: FILTER smtp:y/ REJECT\n# /a/ FILTER smtp:x\n"), "");
    CHECK_EQUAL(with("/^X: a\\/b c/i filter smtp:[192.0.2.1]\n"), "FILTER in header_checks: bad");
    CHECK_EQUAL(with("if /a/\n/b/ REDIRECT c@d.example\nendif\n"),
                "REDIRECT in header_checks: bad");
    CHECK_EQUAL(with("/b/ BCC c@firm.example\n"), "");
    CHECK_EQUAL(with("/b/\n BCC c@d.example\n"), "BCC in header_checks: bad");
}

static void entries_keep_their_line_and_what_continues_them() {
    const auto all = entries_of("# c\n\na b\n  c\n/x y/ z\n", true);
    CHECK_EQUAL(all.size(), 2U);
    CHECK_EQUAL(all[0].line, 3U);
    CHECK_EQUAL(all[0].value, "b c");
    CHECK_EQUAL(all[1].key, "/x y/");
    CHECK_EQUAL(all[1].value, "z");
    CHECK_EQUAL(entries_of("/never ends", true).at(0).key, "/never ends");
}

static void any_bytes_may_stand_in_a_table() {
    std::mt19937 random(7);
    constexpr char alphabet[] = "/!\\ \t\n#ifend\xff{}"; // its closing 0 is one of them
    for (int round = 0; round < 20000; ++round) {
        std::string text;
        for (std::size_t i = random() % 40; i > 0; --i)
            text += alphabet[random() % sizeof alphabet];
        for (const bool patterns : {false, true})
            for (const TableEntry &one : entries_of(text, patterns)) {
                CHECK(one.key.size() + one.value.size() <= text.size());
                CHECK(one.line > 0);
            }
    }
}

static void hosts_that_may_claim_a_login_are_judged_by_their_number() {
    const auto with = [](const std::string &value) {
        return open_of({{{"smtpd_authorized_xclient_hosts", value}}, {}, {}, {}});
    };
    CHECK_EQUAL(with("127.0.0.0/8 [::1]/128 10.1.1.5"), "");
    CHECK_EQUAL(with("[2001:db8::5]"), "");
    CHECK_EQUAL(with("10.0.0.0/8"), "smtpd_authorized_xclient_hosts: bad");
    CHECK_EQUAL(with("[2001:db8::]/32"), "smtpd_authorized_xclient_hosts: bad");
    CHECK_EQUAL(with("firm.example"), "smtpd_authorized_xclient_hosts: bad");
    CHECK_EQUAL(with("hash:/etc/postfix/hosts"), "smtpd_authorized_xclient_hosts: bad");
}

static void another_instance_that_keeps_seals_is_said() {
    PostfixView view = view_of();
    view.others = {{"/etc/postfix-out", false}};
    const Checks checks = check_postfix(view);
    std::string found;
    for (const Check &one : checks)
        if (one.verdict != Verdict::good) found += one.name;
    CHECK_EQUAL(found, "instance /etc/postfix-out");
}

static void a_file_is_read_by_its_owner_group_or_all() {
    struct stat status {};
    status.st_uid = 5;
    status.st_gid = 7;
    status.st_mode = 0640;
    CHECK(may({5, {}}, status, 4));
    CHECK(may({6, {1, 7}}, status, 4));
    CHECK(!may({6, {1}}, status, 4));
    CHECK(!may({6, {7}}, status, 1));
    status.st_mode = 0044; // the owner is not asked for group and others
    CHECK(!may({5, {7}}, status, 4));
    CHECK(may({0, {}}, status, 4));
}

static void people_see_the_worst_first_and_what_to_do() {
    const Checks checks = {{"postfix", "a", Verdict::good, "", "fine", ""},
                           {"files", "b", Verdict::unknown, "/f", "dark\x1b", "as root"},
                           {"postfix", "c", Verdict::bad, "/m: c", "open", "close it"}};
    CHECK_EQUAL(doctor_text(checks, Screen(false)), "bad: c  (/m: c)\n"
                                                    "    open\n"
                                                    "    do: close it\n"
                                                    "\n"
                                                    "cannot be told: b  (/f)\n"
                                                    "    dark\\x1b\n"
                                                    "    do: as root\n"
                                                    "\n"
                                                    "GOOD\n"
                                                    "a     fine\n"
                                                    "\n1 bad, 1 cannot be told, 1 good.\n");
}

int main() {
    return demail::test::run(
        "doctor",
        {TEST(a_host_that_took_over_every_line_has_nothing_open),
         TEST(a_missing_line_is_named_with_the_line_to_write), TEST(a_postfix_before_3_is_too_old),
         TEST(an_option_of_a_service_counts_more_than_main_cf),
         TEST(a_port_for_a_content_filter_needs_no_milter_but_only_on_this_host),
         TEST(a_more_exact_key_wins_over_our_map_wherever_its_table_stands),
         TEST(patterns_are_asked_for_whole_addresses_before_our_domains),
         TEST(actions_are_read_behind_the_pattern),
         TEST(entries_keep_their_line_and_what_continues_them),
         TEST(any_bytes_may_stand_in_a_table),
         TEST(hosts_that_may_claim_a_login_are_judged_by_their_number),
         TEST(another_instance_that_keeps_seals_is_said),
         TEST(a_file_is_read_by_its_owner_group_or_all),
         TEST(people_see_the_worst_first_and_what_to_do)});
}
