// The client's end of the wire against a daemon that restarts, stalls, lies or is somebody else.
#include "check.hpp"
#include "scripted_daemon.hpp"
#include "wire/client.hpp"

#include <chrono>
#include <condition_variable>
#include <thread>

namespace {

using namespace demail;
using namespace demail::wire;
using namespace std::chrono_literals;
using test::ScriptedDaemon;

Clock::time_point within(std::chrono::milliseconds time) {
    return Clock::now() + time;
}

Reply done() {
    return {0, rv_ok, "", Done{}};
}
Reply signature() {
    return {0, rv_ok, "", Signature{"signature"}};
}
Sign sign() {
    return {"8949", "id", Pkcs1Signature{Hash::sha256}, std::string(32, 'd'), 1000};
}
Login login_with_pin() {
    return {"8949", Secret::copy_of("123456")};
}

bool trusts_all(uid_t) {
    return true;
}
bool trusts_none(uid_t) {
    return false;
}

std::string signed_bytes(const Client::Answer &answer) {
    const auto *reply = std::get_if<Reply>(&answer);
    if (reply == nullptr) return "no reply: " + std::get<NoReply>(answer).sentence;
    return std::get<Signature>(reply->body).bytes;
}

NoReply::Why why(const Client::Answer &answer) {
    CHECK(std::holds_alternative<NoReply>(answer));
    return std::get<NoReply>(answer).why;
}

void a_reply_comes_back_over_a_connection_that_is_kept() {
    const test::TemporaryDirectory directory;
    const ScriptedDaemon daemon(directory.file("socket"),
                                [](const Request &) { return signature(); });
    Client client(daemon.path());
    for (int i = 0; i < 10; ++i)
        CHECK_EQUAL(signed_bytes(client.call(sign(), within(2s))), "signature");
    CHECK_EQUAL(daemon.connections(), 1);
}

void without_a_daemon_the_answer_is_there_at_once() {
    const test::TemporaryDirectory directory;
    Client client(directory.file("socket"));
    const auto begin = Clock::now();
    const auto answer = client.call(ListTokens{}, within(5s));
    CHECK(why(answer) == NoReply::Why::unreachable);
    CHECK(std::get<NoReply>(answer).sentence.find("does not run") != std::string::npos);
    CHECK(Clock::now() - begin < 200ms);
}

void a_daemon_that_restarts_is_waited_for() {
    const test::TemporaryDirectory directory;
    ScriptedDaemon daemon(directory.file("socket"), [](const Request &) { return signature(); });
    Client client(daemon.path());
    CHECK_EQUAL(signed_bytes(client.call(sign(), within(2s))), "signature");
    daemon.stop();
    std::thread restart([&] {
        std::this_thread::sleep_for(300ms);
        daemon.start();
    });
    const auto answer = client.call(sign(), within(5s));
    restart.join();
    CHECK_EQUAL(signed_bytes(answer), "signature");
}

void a_daemon_that_stays_away_costs_no_more_than_the_deadline() {
    const test::TemporaryDirectory directory;
    ScriptedDaemon daemon(directory.file("socket"), [](const Request &) { return signature(); });
    Client client(daemon.path());
    CHECK_EQUAL(signed_bytes(client.call(sign(), within(2s))), "signature");
    daemon.stop();
    const auto begin = Clock::now();
    CHECK(why(client.call(sign(), within(400ms))) == NoReply::Why::unreachable);
    CHECK(Clock::now() - begin < 1s);
}

void a_signature_is_asked_for_again_once() {
    const test::TemporaryDirectory directory;
    std::atomic<int> hang_ups = 1;
    const ScriptedDaemon daemon(directory.file("socket"),
                                [&](const Request &) -> std::optional<Reply> {
                                    if (hang_ups-- > 0) return std::nullopt;
                                    return signature();
                                });
    Client client(daemon.path());
    CHECK_EQUAL(signed_bytes(client.call(sign(), within(2s))), "signature");
    CHECK_EQUAL(daemon.requests(), 2);
    hang_ups = 5;
    CHECK(why(client.call(sign(), within(2s))) == NoReply::Why::unreachable);
    CHECK_EQUAL(daemon.requests(), 4);
}

void a_pin_is_never_sent_twice() {
    const test::TemporaryDirectory directory;
    const ScriptedDaemon daemon(directory.file("socket"),
                                [](const Request &) { return std::optional<Reply>(); });
    Client client(daemon.path(), trusts_all);
    CHECK(why(client.call(login_with_pin(), within(2s))) == NoReply::Why::uncertain);
    CHECK_EQUAL(daemon.requests(), 1);
}

void a_pin_that_never_left_goes_to_the_restarted_daemon() {
    const test::TemporaryDirectory directory;
    ScriptedDaemon daemon(directory.file("socket"), [](const Request &) { return done(); });
    Client client(daemon.path(), trusts_all);
    CHECK(std::holds_alternative<Reply>(client.call(ListTokens{}, within(2s))));
    daemon.stop();
    daemon.start();
    CHECK(std::holds_alternative<Reply>(client.call(login_with_pin(), within(2s))));
    CHECK_EQUAL(daemon.requests(), 2);
}

void a_stranger_gets_no_pin_but_may_list_tokens() {
    const test::TemporaryDirectory directory;
    const ScriptedDaemon daemon(directory.file("socket"), [](const Request &) { return done(); });
    Client client(daemon.path(), trusts_none);
    CHECK(std::holds_alternative<Reply>(client.call(ListTokens{}, within(2s))));
    CHECK(why(client.call(login_with_pin(), within(2s))) == NoReply::Why::impostor);
    CHECK(why(client.call(Unlock{"8", "", Secret::copy_of("1"), false}, within(2s))) ==
          NoReply::Why::impostor);
    CHECK_EQUAL(daemon.requests(), 1);
}

void the_peer_that_is_judged_is_the_one_that_listens() {
    const test::TemporaryDirectory directory;
    const ScriptedDaemon daemon(directory.file("socket"), [](const Request &) { return done(); });
    std::optional<uid_t> judged;
    Client client(daemon.path(), [&](uid_t uid) {
        judged = uid;
        return true;
    });
    CHECK(std::holds_alternative<Reply>(client.call(login_with_pin(), within(2s))));
    CHECK(judged == ::getuid());
}

void only_root_and_the_daemon_s_user_are_trusted() {
    CHECK(is_card_daemon(0));
    CHECK(!is_card_daemon(65534));
}

void a_call_ends_at_its_deadline() {
    const test::TemporaryDirectory directory;
    std::mutex mutex;
    std::condition_variable over;
    bool is_over = false;
    const ScriptedDaemon daemon(directory.file("socket"), [&](const Request &) {
        std::unique_lock lock(mutex);
        over.wait(lock, [&] { return is_over; });
        return done();
    });
    Client client(daemon.path(), trusts_all);
    const auto begin = Clock::now();
    const auto signing = client.call(sign(), within(200ms));
    const auto login = client.call(login_with_pin(), within(200ms));
    const auto took = Clock::now() - begin;
    {
        const std::lock_guard lock(mutex);
        is_over = true;
        over.notify_all();
    }
    CHECK(why(signing) == NoReply::Why::late);
    CHECK(why(login) == NoReply::Why::uncertain);
    CHECK(took >= 400ms && took < 2s);
}

void what_is_no_reply_is_not_taken_for_one() {
    const test::TemporaryDirectory directory;
    ScriptedDaemon daemon(directory.file("socket"), [](const Request &) { return signature(); });
    Client client(daemon.path());
    const std::string other_id(reply_frame({77, rv_ok, "", Signature{"x"}}).view());
    for (const std::string &lie : {other_id, std::string("HTTP/1.1 400 Bad Request\r\n\r\n"),
                                   std::string("\0\0\0\1x", 5), std::string("\0\0\0\0", 4)}) {
        daemon.say_next(lie);
        CHECK(why(client.call(sign(), within(2s))) == NoReply::Why::garbled);
    }
    CHECK_EQUAL(signed_bytes(client.call(sign(), within(2s))), "signature");
}

void a_reply_that_came_too_late_is_not_taken_for_the_next_one() {
    const test::TemporaryDirectory directory;
    const ScriptedDaemon daemon(directory.file("socket"), [](const Request &request) {
        if (const auto *one = std::get_if<Sign>(&request); one->key == "slow") {
            std::this_thread::sleep_for(200ms);
            return Reply{0, rv_ok, "", Signature{"slow"}};
        }
        return signature();
    });
    Client client(daemon.path());
    Sign slow = sign();
    slow.key = "slow";
    CHECK(why(client.call(slow, within(50ms))) == NoReply::Why::late);
    std::this_thread::sleep_for(300ms);
    CHECK_EQUAL(signed_bytes(client.call(sign(), within(2s))), "signature");
}

void stop_ends_a_call_that_waits() {
    const test::TemporaryDirectory directory;
    std::atomic<bool> over = false;
    const ScriptedDaemon daemon(directory.file("socket"), [&](const Request &) {
        while (!over)
            std::this_thread::sleep_for(5ms);
        return done();
    });
    Client client(daemon.path());
    std::thread stopper([&] {
        std::this_thread::sleep_for(100ms);
        client.stop();
    });
    const auto begin = Clock::now();
    CHECK(why(client.call(WaitForChange{1, 60000}, within(60s))) == NoReply::Why::unreachable);
    CHECK(Clock::now() - begin < 5s);
    stopper.join();
    CHECK(why(client.call(ListTokens{}, within(60s))) == NoReply::Why::unreachable);
    over = true;
}

void threads_share_a_client() {
    const test::TemporaryDirectory directory;
    const ScriptedDaemon daemon(directory.file("socket"), [](const Request &request) {
        return Reply{0, rv_ok, "", Signature{std::get<Sign>(request).input}};
    });
    Client client(daemon.path());
    std::atomic<int> wrong = 0;
    std::vector<std::thread> threads;
    for (int number = 0; number < 16; ++number)
        threads.emplace_back([&, number] {
            Sign request = sign();
            request.input = "thread " + std::to_string(number);
            for (int i = 0; i < 20; ++i)
                if (signed_bytes(client.call(request, within(10s))) != request.input) ++wrong;
        });
    for (std::thread &thread : threads)
        thread.join();
    CHECK_EQUAL(wrong.load(), 0);
    CHECK_EQUAL(daemon.requests(), 320);
}

} // namespace

int main() {
    return demail::test::run(
        "wire client",
        {TEST(a_reply_comes_back_over_a_connection_that_is_kept),
         TEST(without_a_daemon_the_answer_is_there_at_once),
         TEST(a_daemon_that_restarts_is_waited_for),
         TEST(a_daemon_that_stays_away_costs_no_more_than_the_deadline),
         TEST(a_signature_is_asked_for_again_once), TEST(a_pin_is_never_sent_twice),
         TEST(a_pin_that_never_left_goes_to_the_restarted_daemon),
         TEST(a_stranger_gets_no_pin_but_may_list_tokens),
         TEST(the_peer_that_is_judged_is_the_one_that_listens),
         TEST(only_root_and_the_daemon_s_user_are_trusted), TEST(a_call_ends_at_its_deadline),
         TEST(what_is_no_reply_is_not_taken_for_one),
         TEST(a_reply_that_came_too_late_is_not_taken_for_the_next_one),
         TEST(stop_ends_a_call_that_waits), TEST(threads_share_a_client)});
}
