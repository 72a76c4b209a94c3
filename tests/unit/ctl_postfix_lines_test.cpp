// Postfix's lines for De-Mail, joined with what stands.
#include "check.hpp"
#include "programs/ctl_postfix_lines.hpp"
#include "programs/ctl_postfix_list.hpp"

using namespace demail::ctl;

namespace {

constexpr const char *ours = "{ unix:demail-milter/milter.sock, default_action=tempfail }";
constexpr const char *our_map = "pipemap:{$default_database_type:/var/lib/demail/domains, "
                                "static:{demail:unix:demail-relay/lmtp.sock}}";
const std::string refusals = "regexp:/usr/share/postfix-demail/strange-address, "
                             "regexp:/var/lib/demail/domains.hidden, ";
constexpr const char *strip = "regexp:/usr/share/postfix-demail/strip-seal";

const Wishes wishes{"demail-milter/milter.sock", "/var/spool/postfix/demail-milter/milter.sock",
                    "demail-relay/lmtp.sock",    "/var/lib/demail/domains",
                    "/usr/share/postfix-demail", "demail-in"};

std::string replaced(std::string text, std::string_view what, std::string_view by) {
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
        text.replace(at, what.size(), by);
    return text;
}

/// A Postfix with its defaults (Debian 12) and `changes`.
PostfixFacts facts(const PostfixFacts::Settings &changes = {},
                   std::vector<std::string> services = {}) {
    PostfixFacts all;
    all.settings = {{"default_database_type", "hash"},
                    {"enable_idna2003_compatibility", "no"},
                    {"enable_long_queue_ids", "no"},
                    {"mailbox_size_limit", "51200000"},
                    {"message_size_limit", "10240000"},
                    {"mynetworks", "127.0.0.0/8"},
                    {"non_smtpd_milters", ""},
                    {"smtp_body_checks", ""},
                    {"smtp_header_checks", ""},
                    {"smtp_nested_header_checks", ""},
                    {"smtpd_forbid_bare_newline", "no"},
                    {"smtpd_forbid_bare_newline_exclusions", "$mynetworks"},
                    {"smtpd_milters", ""},
                    {"transport_maps", ""},
                    {"virtual_mailbox_limit", "51200000"}};
    for (const auto &[name, value] : changes)
        all.settings[name] = value;
    for (const auto &[name, value] : all.settings) {
        std::string text = value;
        for (const char *one : {"smtpd_milters", "mynetworks", "default_database_type"})
            text = replaced(text, std::string("$") + one, all.settings[one]);
        all.expanded[name] = text;
    }
    all.services = std::move(services);
    return all;
}

const PostfixLine &line(const std::vector<PostfixLine> &lines, std::string_view name) {
    for (const PostfixLine &one : lines)
        if (one.name == name) return one;
    throw std::runtime_error("no line " + std::string(name));
}

PostfixLine main_line(std::string_view name, const PostfixFacts::Settings &changes) {
    return line(postfix_lines(facts(changes), wishes).main_cf, name);
}

void expect(std::string_view name, const PostfixFacts::Settings &changes, bool stands,
            const std::string &value) {
    const PostfixLine one = main_line(name, changes);
    CHECK_EQUAL(one.line, std::string(name) + (value.empty() ? " =" : " = " + value));
    CHECK_EQUAL(one.stands, stands);
}

/// The facts of a Postfix that has taken the lines over.
PostfixFacts taken_over(const PostfixLines &lines) {
    PostfixFacts::Settings settings;
    std::string text;
    for (const PostfixLine &one : lines.main_cf)
        text += one.line + "\n";
    std::vector<std::string> services;
    for (const PostfixLine &one : lines.master_cf)
        services.push_back(one.line);
    return facts(PostfixFacts::parse(text), services);
}

} // namespace

static void a_bare_postfix_needs_every_line() {
    const auto lines = postfix_lines(facts(), wishes);
    std::string text;
    for (const PostfixLine &one : lines.main_cf)
        text += one.line + "\n";
    CHECK_EQUAL(text, std::string("enable_long_queue_ids = yes\n"
                                  "smtpd_forbid_bare_newline = yes\n"
                                  "smtpd_forbid_bare_newline_exclusions =\n"
                                  "message_size_limit = 47185920\n"
                                  "smtpd_milters = ") +
                          ours +
                          "\nnon_smtpd_milters = $smtpd_milters\n"
                          "transport_maps = " +
                          refusals + our_map +
                          "\nenable_idna2003_compatibility = no"
                          "\ndemail_destination_recipient_limit = 0\n"
                          "smtp_header_checks = " +
                          strip + "\nsmtp_nested_header_checks = " + strip +
                          "\nsmtp_body_checks = " + strip + "-lines\n");
    CHECK_EQUAL(line(lines.master_cf, "demail").line,
                "demail unix - - n - - lmtp -o lmtp_send_xforward_command=yes "
                "-o lmtp_line_length_limit=0 -o lmtp_header_checks= -o lmtp_generic_maps= "
                "-o lmtp_fallback_relay=");
    CHECK_EQUAL(line(lines.master_cf, "demail-in").line,
                std::string("demail-in unix n - n - - smtpd -o { smtpd_milters=") + ours + " }");
    CHECK(!lines.complete());
}

static void what_was_printed_is_complete_when_taken_over() {
    const PostfixFacts::Settings manifold = {
        {"smtpd_milters", "inet:localhost:8891, { unix:other.sock, default_action=accept }"},
        {"non_smtpd_milters", "inet:localhost:8891"},
        {"transport_maps", "hash:/etc/postfix/transport, inline:{ {a.example = smtp:b} }"},
        {"smtp_header_checks", "pcre:/etc/postfix/mine"},
        {"mailbox_size_limit", "1000"}};
    for (const auto &start : {PostfixFacts::Settings(), manifold}) {
        const auto lines = postfix_lines(facts(start), wishes);
        CHECK(!lines.complete());
        const auto again = postfix_lines(taken_over(lines), wishes);
        for (const PostfixLine &one : again.main_cf)
            CHECK_EQUAL(one.stands ? "" : one.line, "");
        CHECK(again.complete());
    }
}

static void our_milter_comes_last_and_the_others_stay() {
    expect("smtpd_milters", {{"smtpd_milters", "inet:a:1 { unix:b, c=d }"}}, false,
           std::string("inet:a:1, { unix:b, c=d }, ") + ours);
    expect("smtpd_milters", {{"smtpd_milters", std::string(ours) + ", inet:a:1"}}, false,
           std::string("inet:a:1, ") + ours);
    const std::string last = std::string("inet:a:1, ") + ours;
    expect("smtpd_milters", {{"smtpd_milters", last}}, true, last);
}

static void our_milter_must_fail_closed() {
    for (const char *open :
         {"unix:demail-milter/milter.sock",
          "{ unix:demail-milter/milter.sock, default_action=accept }",
          "{ unix:/var/spool/postfix/demail-milter/milter.sock, default_action=tempfail }"})
        expect("smtpd_milters", {{"smtpd_milters", open}}, false, ours);
    const std::string more = "{unix:demail-milter/milter.sock default_action = tempfail "
                             "connect_timeout=5s}";
    expect("smtpd_milters", {{"smtpd_milters", more}}, true, more);
}

static void mail_of_sendmail_passes_our_milter_too() {
    const std::string name = "non_smtpd_milters";
    expect(name, {}, false, "$smtpd_milters");
    expect(name, {{name, "$smtpd_milters"}}, true, "$smtpd_milters");
    expect(name, {{name, "inet:a:1"}}, false, std::string("inet:a:1, ") + ours);
    expect(name, {{name, "$smtpd_milters, inet:a:1"}}, false, "inet:a:1, $smtpd_milters");
}

static void the_transport_map_is_appended_once() {
    const std::string name = "transport_maps", all = refusals + our_map;
    expect(name, {{name, "hash:/etc/postfix/transport"}}, false,
           refusals + "hash:/etc/postfix/transport, " + our_map);
    expect(name, {{name, all + ", hash:/x"}}, true, all + ", hash:/x");
    const std::string spelt = "pipemap:{hash:/var/lib/demail/domains,"
                              "static:{demail:unix:demail-relay/lmtp.sock}}";
    expect(name, {{name, refusals + spelt}}, true, refusals + spelt);
    // The next hop of another machine, or a table that lets the file name one, is replaced.
    expect(name,
           {{name, "pipemap:{hash:/var/lib/demail/domains, static:{smtp:relay.example}}, hash:/x"}},
           false, refusals + "hash:/x, " + our_map);
}

static void the_tables_of_refusals_come_first() {
    const std::string name = "transport_maps", all = refusals + our_map;
    for (const std::string &open :
         {std::string(our_map), "regexp:/var/lib/demail/domains.hidden, " + std::string(our_map),
          "regexp:/usr/share/postfix-demail/strange-address, " + std::string(our_map),
          our_map + (", " + refusals)})
        expect(name, {{name, open}}, false, all);
    expect(name, {{name, "hash:/x, " + all}}, false, refusals + "hash:/x, " + our_map);
    const std::string no_hidden_ways =
        "regexp:/usr/share/postfix-demail/strange-address, hash:/x, " + std::string(our_map);
    expect(name, {{name, no_hidden_ways}}, false, refusals + "hash:/x, " + our_map);
    expect(name, {{name, replaced(all, "/usr/share/postfix-demail/", "/tmp/")}}, true,
           replaced(all, "/usr/share/postfix-demail/", "/tmp/"));
}

static void our_header_checks_come_first() {
    const std::string name = "smtp_header_checks";
    expect(name, {{name, "pcre:/a"}}, false, std::string(strip) + ", pcre:/a");
    expect(name, {{name, std::string("pcre:/a, ") + strip}}, false,
           std::string(strip) + ", pcre:/a");
    expect(name, {{name, "regexp:/tmp/x/strip-seal, pcre:/a"}}, true,
           "regexp:/tmp/x/strip-seal, pcre:/a");
}

static void a_larger_size_limit_stays() {
    const std::string name = "message_size_limit";
    expect(name, {{name, "1000"}}, false, "47185920");
    expect(name, {{name, "0"}}, true, "0");
    expect(name, {{name, "99999999"}}, true, "99999999");
    // local(8) does not start with a mailbox limit below the message limit.
    expect("mailbox_size_limit", {{"mailbox_size_limit", "20000000"}}, false, "47185920");
    expect("virtual_mailbox_limit", {{name, "99999999"}}, false, "99999999");
}

static void smuggling_is_shut_out_for_own_networks_too() {
    const std::string name = "smtpd_forbid_bare_newline";
    for (const char *good : {"yes", "normalize", "reject"})
        expect(name, {{name, good}}, true, good);
    expect(name, {{name, "no"}}, false, "yes");
    expect(name + "_exclusions", {{name + "_exclusions", ""}}, true, "");
    expect(name + "_exclusions", {}, false, "");
    CHECK_EQUAL(main_line(name + "_exclusions", {}).was, "$mynetworks");
}

static void a_postfix_that_cannot_shut_smuggling_out_is_named() {
    PostfixFacts old = facts();
    old.settings.erase("smtpd_forbid_bare_newline");
    old.expanded.erase("smtpd_forbid_bare_newline");
    const auto lines = postfix_lines(old, wishes);
    const auto &one = line(lines.main_cf, "smtpd_forbid_bare_newline");
    CHECK(!one.stands);
    CHECK(one.note.find("update") != std::string::npos);
}

static void a_service_lacking_an_option_is_replaced() {
    const std::string lax = "demail unix - - n - - lmtp -o lmtp_send_xforward_command=yes";
    const auto lines = postfix_lines(facts({}, {lax}), wishes);
    const auto &one = line(lines.master_cf, "demail");
    CHECK(!one.stands);
    CHECK_EQUAL(one.was, lax);
    CHECK(one.line.find("lmtp_fallback_relay=") != std::string::npos);
}

static void of_two_options_for_one_setting_the_later_counts() {
    const auto lines = postfix_lines(facts(), wishes);
    const std::string whole = line(lines.master_cf, "demail").line;
    const auto stands = [](const std::string &service) {
        return line(postfix_lines(facts({}, {service}), wishes).master_cf, "demail").stands;
    };
    CHECK(stands(whole));
    CHECK(!stands(whole + " -o lmtp_fallback_relay=[192.0.2.1]"));
    CHECK(stands(replaced(whole, " -o lmtp_header_checks=",
                          " -o lmtp_header_checks=regexp:/x -o lmtp_header_checks=")));
}

static void the_inbound_service_has_our_milter_alone() {
    const std::string good = std::string("demail-in unix n - n - 4 smtpd -o {smtpd_milters=") +
                             ours + "} -o smtpd_client_restrictions=";
    const std::string two = std::string("demail-in unix n - n - - smtpd -o { smtpd_milters = ") +
                            "inet:a:1, " + ours + " }";
    const std::string inet = "demail-in inet n - n - - smtpd";
    const auto stands = [](const std::string &service) {
        return line(postfix_lines(facts({}, {service}), wishes).master_cf, "demail-in").stands;
    };
    CHECK(stands(good));
    CHECK(!stands(two));
    CHECK(!stands(inet));
}

static void sockets_are_named_below_the_queue_directory() {
    CHECK_EQUAL(below_queue_directory("/var/spool/postfix/a/b.sock", "/var/spool/postfix"),
                "a/b.sock");
    CHECK_EQUAL(below_queue_directory("/var/spool/postfix2/b.sock", "/var/spool/postfix"),
                "/var/spool/postfix2/b.sock");
    CHECK_EQUAL(below_queue_directory("/run/b.sock", ""), "/run/b.sock");
}

static void braces_keep_together_even_where_they_do_not_close() {
    CHECK_EQUAL(list_elements(" a,b\t{ c, d } e:{f, {g h}},, ").size(), 4U);
    CHECK_EQUAL(list_elements("a, {b, c").back(), "{b, c");
    CHECK_EQUAL(list_elements("} a").size(), 2U);
    CHECK_EQUAL(without_braces("{ a b }"), "a b");
    CHECK_EQUAL(without_braces("{"), "{");
}

int main() {
    return demail::test::run(
        "Postfix's lines",
        {TEST(a_bare_postfix_needs_every_line), TEST(what_was_printed_is_complete_when_taken_over),
         TEST(our_milter_comes_last_and_the_others_stay), TEST(our_milter_must_fail_closed),
         TEST(mail_of_sendmail_passes_our_milter_too), TEST(the_transport_map_is_appended_once),
         TEST(the_tables_of_refusals_come_first), TEST(our_header_checks_come_first),
         TEST(a_larger_size_limit_stays), TEST(smuggling_is_shut_out_for_own_networks_too),
         TEST(a_postfix_that_cannot_shut_smuggling_out_is_named),
         TEST(a_service_lacking_an_option_is_replaced),
         TEST(of_two_options_for_one_setting_the_later_counts),
         TEST(the_inbound_service_has_our_milter_alone),
         TEST(sockets_are_named_below_the_queue_directory),
         TEST(braces_keep_together_even_where_they_do_not_close)});
}
