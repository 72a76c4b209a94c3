#include "check.hpp"
#include "programs/ctl_postfix_log.hpp"
#include "programs/ctl_selftest_ways.hpp"

using namespace demail::ctl;

namespace {

constexpr const char *id = "leak-probe.1@mail.firm.example";
const std::string head = "Nov 29 14:00:00 mail postfix/";

LogStory story_of(const std::string &lines) {
    LogStory story;
    story.follow(id);
    story.add(lines);
    return story;
}

std::string cleanup(const std::string &queue_id) {
    return head + "cleanup[7]: " + queue_id + ": message-id=<" + id + ">\n";
}

Delivery delivery(const char *program, const char *relay, const char *status,
                  const char *reason = "") {
    return {program, "a@x.de-mail.de", relay, status, reason, false};
}

Fate fate(const Delivery &one, const std::vector<std::string> &filters = {}) {
    return fate_of(one, "demail-relay/lmtp.sock", filters);
}

} // namespace

static void a_message_is_followed_from_its_message_id_to_its_end() {
    LogStory story = story_of(cleanup("4B2") + head + "qmgr[8]: 4B2: from=<>, size=9, nrcpt=1\n");
    CHECK(!story.open().empty());
    story.add(head + "submission/smtp[9]: 4B2: to=<a@x.de-mail.de>, orig_to=<b@y>, "
                     "relay=mx[192.0.2.1]:25, delay=1, dsn=2.0.0, status=sent (250 ok (really))\n");
    CHECK(story.open().empty());
    const auto found = story.deliveries(id);
    CHECK(found.size() == 1);
    CHECK_EQUAL(found.front().program, "smtp");
    CHECK_EQUAL(found.front().to, "a@x.de-mail.de");
    CHECK_EQUAL(found.front().relay, "mx[192.0.2.1]:25");
    CHECK_EQUAL(found.front().status, "sent");
    CHECK_EQUAL(found.front().reason, "250 ok (really)");
}

static void its_bounce_is_followed_too() {
    LogStory story =
        story_of(cleanup("4B2") + head +
                 "error[9]: 4B2: to=<a@x>, relay=none, dsn=5.1.3, status=bounced (no)\n" + head +
                 "bounce[9]: 4B2: sender non-delivery notification: 4B3\n" + head +
                 "qmgr[8]: 4B2: removed\n");
    CHECK(!story.open().empty());
    story.add(head + "smtp[9]: 4B3: to=<c@z>, relay=mx[192.0.2.1]:25, status=sent (250)\n" + head +
              "qmgr[8]: 4B3: removed\n");
    CHECK(story.open().empty());
    CHECK(story.deliveries(id).size() == 2);
    CHECK(story.deliveries(id).back().of_bounce);
    CHECK(story.queue_ids().size() == 2);
}

static void a_bounce_may_be_named_behind_its_own_lines() {
    const LogStory story =
        story_of(cleanup("4B2") + head +
                 "smtp[9]: 4B3: to=<c@z>, relay=mx[192.0.2.1]:25, status=sent (250)\n" + head +
                 "qmgr[8]: 4B3: removed\n" + head +
                 "bounce[9]: 4B2: sender non-delivery notification: 4B3\n" + head +
                 "qmgr[8]: 4B2: removed\n");
    CHECK(story.open().empty());
    CHECK(story.deliveries(id).size() == 1);
    CHECK(story.deliveries(id).front().of_bounce);
}

static void what_is_not_ours_is_left_out() {
    LogStory story =
        story_of(head + "cleanup[7]: 5A1: message-id=<other@x>\n" + head +
                 "smtp[9]: 5A1: to=<c@z>, relay=mx[192.0.2.1]:25, status=sent (250)\n" +
                 "no log line\n]: : \n" + head + "smtp[9]: NOQUEUE\n");
    CHECK(!story.open().empty());
    CHECK(story.queue_ids().empty());
}

static void a_milters_refusal_ends_it() {
    const LogStory story = story_of(cleanup("4B2") + head +
                                    "cleanup[7]: 4B2: milter-reject: RCPT from localhost: 5.7.1\n");
    CHECK(story.open().empty());
}

static void it_has_not_ended_while_a_recipient_is_open() {
    LogStory story = story_of(cleanup("4B2") + head + "qmgr[8]: 4B2: from=<>, size=9, nrcpt=2\n" +
                              head + "lmtp[9]: 4B2: to=<a@x>, relay=none, status=deferred (no)\n");
    CHECK(!story.open().empty());
    story.add(head + "error[9]: 4B2: to=<b@x>, relay=none, status=bounced (no)\n");
    CHECK(story.open().empty());
}

static void what_goes_to_another_server_leaves() {
    CHECK(fate(delivery("smtp", "mx[192.0.2.1]:25", "sent")) == Fate::leak);
    CHECK(fate(delivery("smtp", "none", "deferred", "Name service error")) == Fate::leak);
    CHECK(fate(delivery("pipe", "maildrop", "sent")) == Fate::leak);
    CHECK(fate(delivery("lmtp", "mx[private/dovecot-lmtp]", "bounced")) == Fate::leak);
}

static void the_relay_refuses_and_never_takes_a_probe() {
    const char *relay = "mail[demail-relay/lmtp.sock]";
    CHECK(fate(delivery("lmtp", relay, "bounced")) == Fate::bounced);
    CHECK(fate(delivery("lmtp", relay, "deferred")) == Fate::waiting);
    CHECK(fate(delivery("lmtp", "none", "deferred",
                        "connect to mail[demail-relay/lmtp.sock]: No such file")) == Fate::waiting);
    CHECK(fate(delivery("lmtp", relay, "sent")) == Fate::leak);
}

static void what_stays_here_does_not_leave() {
    CHECK(fate(delivery("local", "local", "sent")) == Fate::kept);
    CHECK(fate(delivery("error", "none", "bounced")) == Fate::bounced);
    CHECK(fate(delivery("retry", "none", "deferred")) == Fate::waiting);
}

static void a_content_filter_hands_back() {
    const Delivery one = delivery("smtp", "127.0.0.1[127.0.0.1]:10024", "sent");
    CHECK(fate(one, {"scan:[127.0.0.1]:10024"}) == Fate::filtered);
    CHECK(fate(one, {"scan:127.0.0.1:10024"}) == Fate::filtered);
    CHECK(fate(one, {"scan:[127.0.0.1]:10025"}) == Fate::leak);
    CHECK(fate(one, {"scan:"}) == Fate::leak);
    CHECK(fate(delivery("lmtp", "mail[/run/amavis]", "sent"), {"lmtp:unix:/run/amavis"}) ==
          Fate::filtered);
}

int main() {
    return demail::test::run("ctl postfix log",
                             {
                                 TEST(a_message_is_followed_from_its_message_id_to_its_end),
                                 TEST(its_bounce_is_followed_too),
                                 TEST(a_bounce_may_be_named_behind_its_own_lines),
                                 TEST(what_is_not_ours_is_left_out),
                                 TEST(a_milters_refusal_ends_it),
                                 TEST(it_has_not_ended_while_a_recipient_is_open),
                                 TEST(what_goes_to_another_server_leaves),
                                 TEST(the_relay_refuses_and_never_takes_a_probe),
                                 TEST(what_stays_here_does_not_leave),
                                 TEST(a_content_filter_hands_back),
                             });
}
