#include "check.hpp"
#include "lmtp/session.hpp"
#include "lmtp_recording.hpp"

#include <fcntl.h>

#include <string>
#include <thread>

using namespace demail::lmtp;
using demail::lmtp::test::Client;
using demail::lmtp::test::Recorded;
using demail::lmtp::test::Recording;

namespace {

/// A session at one end of a socket pair, a client at the other.
struct Dialogue {
    Recording service;
    Limits limits;
    Client client{demail::Fd()};
    std::thread thread;

    explicit Dialogue(Limits wanted = {}) : limits(wanted) {
        int pair[2];
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
            throw std::runtime_error("socketpair");
        ::fcntl(pair[1], F_SETFL, O_NONBLOCK);
        client = Client(demail::Fd(pair[0]));
        thread = std::thread([this, fd = pair[1]] {
            SocketStream stream(demail::Fd(fd), -1);
            Session(stream, service, limits, "relay.test").run();
        });
        greeting = client.reply();
    }
    ~Dialogue() {
        client.close();
        if (thread.joinable()) thread.join();
    }
    /// Greets, and gives MAIL and RCPT for one recipient.
    void begin(const std::string &parameters = "") {
        CHECK(client.ask("LHLO test").starts_with("250 "));
        CHECK_EQUAL(client.code("MAIL FROM:<a@x>" + parameters), "250 2.1.0");
        CHECK_EQUAL(client.code("RCPT TO:<b@x>"), "250 2.1.5");
    }
    /// Ends the dialogue and returns what the service has.
    std::vector<Recorded> end() {
        client.close();
        thread.join();
        return service.messages();
    }
    std::string greeting;
};

} // namespace

static void a_message_reaches_the_service() {
    Dialogue dialogue;
    CHECK_EQUAL(dialogue.greeting, "220 relay.test LMTP De-Mail relay");
    CHECK(dialogue.client.ask("LHLO test").starts_with("250 XFORWARD "));
    CHECK_EQUAL(dialogue.client.code("XFORWARD NAME=n ADDR=192.0.2.1 IDENT=4Xy+3Cz"), "250 2.0.0");
    CHECK_EQUAL(dialogue.client.code("MAIL FROM:<a@x> SIZE=20 BODY=8BITMIME"), "250 2.1.0");
    CHECK_EQUAL(dialogue.client.code("RCPT TO:<b@x>"), "250 2.1.5");
    CHECK(dialogue.client.ask("DATA").starts_with("354 "));
    CHECK_EQUAL(dialogue.client.ask("S: 1\r\n\r\n..dot\r\n."), "250 2.0.0 <b@x>");
    CHECK_EQUAL(dialogue.client.code("QUIT"), "221 2.0.0");
    CHECK(dialogue.client.at_end());
    const Recorded got = dialogue.end().at(0);
    CHECK_EQUAL(got.content, "S: 1\r\n\r\n.dot\r\n");
    CHECK(got.completed && !got.bad_bytes);
    CHECK_EQUAL(got.envelope.sender, "a@x");
    CHECK_EQUAL(got.envelope.size.value_or(0), 20U);
    CHECK_EQUAL(got.envelope.ident, "4Xy<z");
    CHECK(got.envelope.eight_bit && !got.envelope.smtputf8);
}

static void lhlo_names_the_extensions() {
    Dialogue dialogue;
    dialogue.client.send("LHLO test\r\n");
    std::string all;
    for (std::string line = dialogue.client.line();; line = dialogue.client.line()) {
        all += line.substr(4) + ";";
        if (line.size() < 4 || line[3] == ' ') break;
    }
    CHECK_EQUAL(all, "relay.test;PIPELINING;SIZE 47185920;8BITMIME;SMTPUTF8;ENHANCEDSTATUSCODES;"
                     "XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE;");
}

static void pipelined_commands_are_answered_in_order() {
    Dialogue dialogue;
    dialogue.client.send("LHLO test\r\nMAIL FROM:<>\r\nRCPT TO:<a@x>\r\nRCPT TO:<nobody@x>\r\n"
                         "RCPT TO:<bad@x>\r\nDATA\r\n");
    for (const char *expected : {"250 ", "250 2.1.0", "250 2.1.5", "550 5.1.1", "250 2.1.5", "354"})
        CHECK(dialogue.client.reply().starts_with(expected));
    dialogue.client.send("x\r\n.\r\nMAIL FROM:<c@x>\r\nQUIT\r\n");
    CHECK_EQUAL(dialogue.client.reply(), "250 2.0.0 <a@x>");
    CHECK_EQUAL(dialogue.client.reply(), "550 5.7.1 <bad@x>");
    CHECK_EQUAL(dialogue.client.reply().substr(0, 9), "250 2.1.0");
    CHECK_EQUAL(dialogue.client.reply().substr(0, 9), "221 2.0.0");
}

static void commands_may_come_byte_by_byte() {
    Dialogue dialogue;
    const std::string all = "LHLO t\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\n..\r\n.\r\n";
    for (const char c : all)
        dialogue.client.send({&c, 1});
    for (const char *expected : {"250 ", "250 2.1.0", "250 2.1.5", "354", "250 2.0.0"})
        CHECK(dialogue.client.reply().starts_with(expected));
    CHECK_EQUAL(dialogue.end().at(0).content, ".\r\n");
}

static void two_thousand_recipients_get_their_replies_in_order() {
    Dialogue dialogue;
    dialogue.client.ask("LHLO test");
    dialogue.client.ask("MAIL FROM:<a@x>");
    std::string commands;
    for (int i = 0; i < 2000; ++i)
        commands +=
            "RCPT TO:<" + std::string(i % 3 == 0 ? "bad" : "r") + std::to_string(i) + "@x>\r\n";
    std::thread writer([&] { dialogue.client.send(commands + "DATA\r\n"); });
    std::vector<std::string> replies;
    for (int i = 0; i < 2001; ++i)
        replies.push_back(dialogue.client.reply());
    writer.join();
    for (int i = 0; i < 2000; ++i)
        CHECK_EQUAL(replies[static_cast<std::size_t>(i)], "250 2.1.5 Ok");
    CHECK(replies.back().starts_with("354"));
    dialogue.client.send("x\r\n.\r\n");
    for (int i = 0; i < 2000; ++i)
        CHECK_EQUAL(dialogue.client.reply(),
                    (i % 3 == 0 ? "550 5.7.1 <bad" : "250 2.0.0 <r") + std::to_string(i) + "@x>");
}

static void commands_out_of_order_are_refused() {
    Dialogue dialogue;
    CHECK_EQUAL(dialogue.client.code("MAIL FROM:<a@x>"), "503 5.5.1");
    CHECK_EQUAL(dialogue.client.code("EHLO test"), "500 5.5.1");
    CHECK_EQUAL(dialogue.client.code("HELO test"), "500 5.5.1");
    CHECK_EQUAL(dialogue.client.code("LHLO"), "501 5.5.4");
    dialogue.client.ask("LHLO test");
    CHECK_EQUAL(dialogue.client.code("RCPT TO:<a@x>"), "503 5.5.1");
    CHECK_EQUAL(dialogue.client.code("DATA"), "503 5.5.1");
    dialogue.client.ask("MAIL FROM:<a@x>");
    CHECK_EQUAL(dialogue.client.code("MAIL FROM:<a@x>"), "503 5.5.1");
    CHECK_EQUAL(dialogue.client.code("XFORWARD NAME=x"), "503 5.5.1");
    CHECK_EQUAL(dialogue.client.code("DATA"), "503 5.5.1");
    CHECK_EQUAL(dialogue.client.code("RSET"), "250 2.0.0");
    CHECK_EQUAL(dialogue.client.code("RCPT TO:<a@x>"), "503 5.5.1");
    CHECK_EQUAL(dialogue.client.code("VRFY a@x"), "252 2.0.0");
    CHECK_EQUAL(dialogue.client.code("NOOP x"), "250 2.0.0");
    CHECK_EQUAL(dialogue.client.code("BDAT 1"), "500 5.5.2");
}

static void parameters_are_checked() {
    Limits limits;
    limits.message_bytes = 1000;
    Dialogue dialogue(limits);
    dialogue.client.ask("LHLO test");
    for (const auto &[parameters, expected] : std::vector<std::pair<std::string, std::string>>{
             {"SIZE=1001", "552 5.3.4"},
             {"SIZE=99999999999999999999", "552 5.3.4"},
             {"SIZE=-1", "501 5.5.4"},
             {"SIZE", "555 5.5.4"},
             {"BODY=BINARYMIME", "501 5.5.4"},
             {"SMTPUTF8=1", "555 5.5.4"},
             {"RET=FULL", "555 5.5.4"},
             {"SIZE=1 SIZE=1", "501 5.5.4"}})
        CHECK_EQUAL(dialogue.client.code("MAIL FROM:<a@x> " + parameters), expected);
    CHECK_EQUAL(dialogue.client.code("MAIL FROM:<a@x> size=1000 body=7bit"), "250 2.1.0");
    CHECK_EQUAL(dialogue.client.code("RCPT TO:<a@x> NOTIFY=NEVER"), "555 5.5.4");
    CHECK_EQUAL(dialogue.client.code("RCPT TO:<>"), "501 5.5.4");
}

static void addresses_beyond_ascii_need_smtputf8() {
    Dialogue dialogue;
    dialogue.client.ask("LHLO test");
    CHECK_EQUAL(dialogue.client.code("MAIL FROM:<\xc3\xbc@x>"), "553 5.6.7");
    CHECK_EQUAL(dialogue.client.code("MAIL FROM:<a@x>"), "250 2.1.0");
    CHECK_EQUAL(dialogue.client.code("RCPT TO:<\xc3\xbc@x>"), "553 5.6.7");
    dialogue.client.ask("RSET");
    CHECK_EQUAL(dialogue.client.code("MAIL FROM:<\xc3\xbc@x> SMTPUTF8"), "250 2.1.0");
    CHECK_EQUAL(dialogue.client.code("RCPT TO:<\xc3\xbc@x>"), "250 2.1.5");
}

static void the_service_may_refuse_at_every_step() {
    Dialogue dialogue;
    dialogue.client.ask("LHLO test");
    CHECK_EQUAL(dialogue.client.code("MAIL FROM:<refused@x>"), "550 5.7.1");
    CHECK_EQUAL(dialogue.client.code("MAIL FROM:<nodata@x>"), "250 2.1.0");
    CHECK_EQUAL(dialogue.client.code("RCPT TO:<nobody@x>"), "550 5.1.1");
    CHECK_EQUAL(dialogue.client.code("RCPT TO:<throw@x>"), "451 4.3.0");
    CHECK_EQUAL(dialogue.client.code("RCPT TO:<a@x>"), "250 2.1.5");
    CHECK_EQUAL(dialogue.client.code("DATA"), "451 4.3.1");
    CHECK_EQUAL(dialogue.client.code("MAIL FROM:<a@x>"), "250 2.1.0");
}

static void a_delivery_that_fails_is_a_temporary_failure_for_each() {
    for (const char *sender : {"full@x", "few@x"}) {
        Dialogue dialogue;
        dialogue.client.send("LHLO t\r\nMAIL FROM:<" + std::string(sender) +
                             ">\r\nRCPT TO:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\n");
        for (int i = 0; i < 5; ++i)
            dialogue.client.reply();
        CHECK_EQUAL(dialogue.client.code("x\r\n."), "451 4.3.0");
        CHECK_EQUAL(dialogue.client.reply().substr(0, 9), "451 4.3.0");
        CHECK_EQUAL(dialogue.client.code("NOOP"), "250 2.0.0");
    }
}

static void content_over_the_limit_is_read_on_and_refused() {
    Limits limits;
    limits.message_bytes = 1000;
    Dialogue dialogue(limits);
    dialogue.begin();
    dialogue.client.ask("DATA");
    CHECK_EQUAL(dialogue.client.code(std::string(200000, 'x') + "\r\n."), "552 5.3.4");
    CHECK_EQUAL(dialogue.client.code("MAIL FROM:<a@x>"), "250 2.1.0");
    CHECK_EQUAL(dialogue.service.open.load(), 0);
    const Recorded got = dialogue.end().at(0);
    CHECK(!got.completed);
    CHECK(got.content.size() <= 1000);
}

static void bad_bytes_are_told_to_the_delivery() {
    Dialogue dialogue;
    dialogue.begin();
    dialogue.client.ask("DATA");
    dialogue.client.send("a\n.\r\nMAIL FROM:<smuggled@x>\r\n.\r\n");
    CHECK_EQUAL(dialogue.client.reply(), "250 2.0.0 <b@x>");
    const auto got = dialogue.end();
    CHECK_EQUAL(got.size(), 1U);
    CHECK(got.at(0).bad_bytes);
    CHECK_EQUAL(got.at(0).content, "a\n.\r\nMAIL FROM:<smuggled@x>\r\n");
}

static void a_cut_connection_completes_nothing() {
    Dialogue dialogue;
    dialogue.begin();
    dialogue.client.ask("DATA");
    dialogue.client.send("half a message\r\n.\r");
    const Recorded got = dialogue.end().at(0);
    CHECK(!got.completed);
    CHECK_EQUAL(dialogue.service.open.load(), 0);
}

static void a_stalled_message_completes_nothing() {
    Limits limits;
    limits.data_timeout = std::chrono::seconds(1);
    Dialogue dialogue(limits);
    dialogue.begin();
    dialogue.client.ask("DATA");
    dialogue.client.send("half a message\r\n");
    CHECK_EQUAL(dialogue.client.reply().substr(0, 9), "421 4.4.2");
    CHECK(dialogue.client.at_end());
    CHECK(!dialogue.end().at(0).completed);
}

static void a_silent_client_is_let_go() {
    Limits limits;
    limits.command_timeout = std::chrono::seconds(1);
    Dialogue dialogue(limits);
    CHECK_EQUAL(dialogue.client.reply().substr(0, 9), "421 4.4.2");
    CHECK(dialogue.client.at_end());
}

static void long_and_malformed_lines_are_skipped() {
    Dialogue dialogue;
    CHECK_EQUAL(dialogue.client.code("NOOP " + std::string(100000, 'x')), "500 5.5.2");
    CHECK_EQUAL(dialogue.client.code("NOOP " + std::string(4089, 'x')), "250 2.0.0");
    CHECK_EQUAL(dialogue.client.code("NOOP " + std::string(4091, 'x')), "500 5.5.2");
    dialogue.client.send("NOOP\n");
    CHECK_EQUAL(dialogue.client.reply().substr(0, 9), "500 5.5.2");
    dialogue.client.send(std::string_view("NO\0OP\r\n", 7));
    CHECK_EQUAL(dialogue.client.reply().substr(0, 9), "500 5.5.2");
    CHECK_EQUAL(dialogue.client.code("NOOP"), "250 2.0.0");
}

static void too_many_errors_end_the_connection() {
    Dialogue dialogue;
    for (int i = 0; i < 250; ++i)
        CHECK_EQUAL(dialogue.client.code("WHAT"), "500 5.5.2");
    CHECK_EQUAL(dialogue.client.code("WHAT"), "421 4.7.0");
    CHECK(dialogue.client.at_end());
}

static void recipients_over_the_limit_are_for_later() {
    Limits limits;
    limits.recipients = 1;
    Dialogue dialogue(limits);
    dialogue.begin();
    CHECK_EQUAL(dialogue.client.code("RCPT TO:<c@x>"), "452 4.5.3");
}

static void the_ident_is_of_one_transaction() {
    Dialogue dialogue;
    dialogue.client.ask("LHLO test");
    dialogue.client.ask("XFORWARD IDENT=first");
    for (int i = 0; i < 2; ++i) {
        dialogue.client.ask("MAIL FROM:<a@x>");
        dialogue.client.ask("RCPT TO:<b@x>");
        dialogue.client.ask("DATA");
        dialogue.client.ask("x\r\n.");
    }
    const auto got = dialogue.end();
    CHECK_EQUAL(got.at(0).envelope.ident, "first");
    CHECK_EQUAL(got.at(1).envelope.ident, "");
}

int main() {
    return demail::test::run(
        "lmtp_session",
        {TEST(a_message_reaches_the_service), TEST(lhlo_names_the_extensions),
         TEST(pipelined_commands_are_answered_in_order), TEST(commands_may_come_byte_by_byte),
         TEST(two_thousand_recipients_get_their_replies_in_order),
         TEST(commands_out_of_order_are_refused), TEST(parameters_are_checked),
         TEST(addresses_beyond_ascii_need_smtputf8), TEST(the_service_may_refuse_at_every_step),
         TEST(a_delivery_that_fails_is_a_temporary_failure_for_each),
         TEST(content_over_the_limit_is_read_on_and_refused),
         TEST(bad_bytes_are_told_to_the_delivery), TEST(a_cut_connection_completes_nothing),
         TEST(a_stalled_message_completes_nothing), TEST(a_silent_client_is_let_go),
         TEST(long_and_malformed_lines_are_skipped), TEST(too_many_errors_end_the_connection),
         TEST(recipients_over_the_limit_are_for_later), TEST(the_ident_is_of_one_transaction)});
}
