// What demailctl list, show and trace say of a real journal, as JSON and to a person.
#include "base/word.hpp"
#include "check.hpp"
#include "journal/journal.hpp"
#include "programs/ctl_history_text.hpp"
#include "programs/history_answers.hpp"
#include "programs/history_clues.hpp"
#include "temporary_directory.hpp"

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <functional>
#include <random>
#include <set>
#include <unordered_map>
#include <utility>

using namespace demail;
using journal::State;
using journal::Submission;
using nlohmann::json;

namespace {

constexpr journal::Time noon = 1'795'953'600'000'000; // 2026-11-29 12:00 UTC
constexpr journal::Time minute = 60'000'000;
const SealKey key("k1", std::string(32, 'k'));

struct Host {
    test::TemporaryDirectory directory;
    std::unique_ptr<journal::Journal> journal =
        journal::Journal::open("sqlite3://" + directory.path() + "/journal.db", "host-a");

    Submission hand_over(unsigned char number, const std::vector<std::string> &recipients,
                         const std::string &of_class = "visible") const {
        Nonce n{};
        n[0] = number;
        Submission one;
        one.private_id = PrivateId::make(key, n, of_class, "the user's own word");
        one.n = n;
        one.account = "firm";
        one.queue_id = "4Qabc" + std::to_string(number);
        one.created = one.changed = noon + number * minute;
        for (const std::string &address : recipients)
            one.recipients.push_back({{*Address::parse(address), RecipientField::to}, {}});
        journal->begin({n, "c0ffee", "firm", *Address::parse("anna@firm.de-mail.de"),
                        "anna@firm.example", "<" + std::to_string(number) + "@firm.example>", noon},
                       one);
        return one;
    }
    void settle(Submission &one, State state, const Reply &reply, const std::string &id = "") {
        one.changed += minute;
        one.state = state;
        one.outcome = reply;
        one.message_id = id;
        journal->settle(one, one.changed);
    }
    /// Bob's, accepted.
    Submission accepted(unsigned char number) {
        Submission one = hand_over(number, {"bob@x.de-mail.de"});
        settle(one, State::accepted, {250, "2.0.0", "Accepted by the De-Mail provider p as <7@p>"},
               "<" + std::to_string(number) + "@p>");
        return one;
    }
    [[nodiscard]] HistoryAnswers answers() const {
        return {journal->history(), directory.path() + "/evidence"};
    }
    [[nodiscard]] json trace(const std::string &id) const {
        return json::parse(answers().trace({as_word(id)}).dump());
    }
    [[nodiscard]] json list(const HistoryAnswers::Words &words) const {
        return json::parse(answers().list(words).dump());
    }
};

std::string digits(const Submission &one) {
    return std::string(one.private_id.gateway_part());
}

std::string refusal(const std::function<void()> &act) {
    try {
        act();
    } catch (const std::invalid_argument &error) {
        return error.what();
    }
    return "";
}

/// Two submission classes of hand-over 1 whose private-ids have the first 8 digits in common.
std::pair<std::string, std::string> classes_that_begin_alike() {
    Nonce n{};
    n[0] = 1;
    std::unordered_map<std::string, std::string> seen;
    for (int i = 0;; ++i) {
        const std::string of_class = "bcc:" + std::to_string(i);
        const auto [place, fresh] =
            seen.emplace(key.private_id_digits(n, of_class).substr(0, 8), of_class);
        if (!fresh) return {place->second, of_class};
    }
}

} // namespace

static void each_kind_of_id_leads_to_the_story() {
    Host host;
    const Submission one = host.accepted(1);
    host.accepted(2);
    const std::string id = digits(one);
    for (const std::string &clue :
         {std::string("4Qabc1"), std::string("<1@firm.example>"), std::string("1@firm.example"),
          std::string("<1@p>"), std::string("1@p"), one.private_id.str(), id, id.substr(0, 11),
          id.substr(3), id.substr(3, 8), " " + id + "\n"}) {
        const json answer = host.trace(clue);
        CHECK_EQUAL(clue + std::to_string(answer["found"].size()), clue + "1");
        CHECK_EQUAL(answer["found"][0]["submissions"][0]["privateId"].get<std::string>(), id);
    }
    for (const char *clue : {"4Qabc", "<3@firm.example>", "g1-00000000", "", "%", "' or 1=1 --"})
        CHECK_EQUAL(host.trace(clue)["found"].size(), 0U);
}

static void the_story_is_told_in_full() {
    Host host;
    Submission one = host.hand_over(1, {"bob@x.de-mail.de", "dora@x.de-mail.de"});
    host.settle(one, State::uncertain, {451, "4.4.2", "It is being looked up"});
    one.recipients[1].outcome = Reply{550, "5.1.1", "Not known"};
    host.settle(one, State::accepted, {250, "2.0.0", "Accepted"}, "<7@p>");
    const json answer = host.trace("4Qabc1");
    const json story = answer["found"][0], told = story["submissions"][0];
    CHECK_EQUAL(story["by"].get<std::string>(), "queue id");
    CHECK_EQUAL(story["handOver"].dump(),
                R"({"account":"firm","envelopeSender":"anna@firm.example","firstBrought":)"
                R"("2026-11-29T12:01:00.000000Z","mailId":"<1@firm.example>",)"
                R"("sealed":"2026-11-29T12:00:00.000000Z","sender":"anna@firm.de-mail.de"})");
    CHECK_EQUAL(told["state"].get<std::string>(), "accepted");
    CHECK_EQUAL(told["messageId"].get<std::string>(), "<7@p>");
    CHECK_EQUAL(told["relay"].get<std::string>(), "host-a");
    CHECK_EQUAL(told["recipients"][0].dump(),
                R"({"address":"bob@x.de-mail.de","field":"to","reply":null})");
    CHECK_EQUAL(told["recipients"][1]["reply"]["enhanced"].get<std::string>(), "5.1.1");
    CHECK_EQUAL(told["changes"].size(), 3U);
    CHECK_EQUAL(told["changes"][0].dump(),
                R"({"at":"2026-11-29T12:01:00.000000Z","code":null,"state":"submitting",)"
                R"("text":null})");
    CHECK_EQUAL(told["changes"][2]["state"].get<std::string>(), "accepted");
    CHECK(!told["evidence"]["there"].get<bool>());
    const std::string directory =
        host.directory.path() + "/evidence/2026/11/" + digits(one).substr(3);
    CHECK_EQUAL(told["evidence"]["directory"].get<std::string>(), directory);
    std::filesystem::create_directories(directory);
    CHECK(host.trace("4Qabc1")["found"][0]["submissions"][0]["evidence"]["there"].get<bool>());
    // Of the private-id the gateway's part alone.
    CHECK(answer.dump().find("the user's own word") == std::string::npos);
}

static void show_tells_of_one_submission_alone() {
    Host host;
    const Submission visible = host.hand_over(1, {"bob@x.de-mail.de"});
    const Submission hidden = host.hand_over(1, {"dora@x.de-mail.de"}, "bcc:dora@x.de-mail.de");
    CHECK_EQUAL(host.trace("4Qabc1")["found"][0]["submissions"].size(), 2U);
    const auto shown = host.answers().show({digits(hidden)});
    CHECK_EQUAL(shown["found"][0]["submissions"].size(), 1U);
    CHECK_EQUAL(shown["found"][0]["submissions"][0]["privateId"].get<std::string>(),
                digits(hidden));
    CHECK_EQUAL(host.answers().show({"4Qabc1"})["found"].size(), 0U);
}

static void a_beginning_must_be_long_enough_and_unique() {
    Host host;
    CHECK_EQUAL(refusal([&] { (void)host.trace("g1-1234567"); }),
                "the beginning of a private-id must have 8 hex digits or more");
    const auto [first, second] = classes_that_begin_alike();
    const Submission one = host.hand_over(1, {"a@x.de-mail.de"}, first);
    const Submission two = host.hand_over(1, {"b@x.de-mail.de"}, second);
    const std::string beginning = digits(one).substr(0, 11);
    const std::string said = refusal([&] { (void)host.trace(beginning.substr(3)); });
    CHECK(said.find("more than one private-id begins with " + beginning) != std::string::npos);
    CHECK(said.find(digits(one).substr(0, 19)) != std::string::npos);
    CHECK(said.find(digits(two).substr(0, 19)) != std::string::npos);
    CHECK_EQUAL(host.trace(digits(two).substr(0, 19))["found"].size(), 1U);
}

static void a_list_goes_on_where_its_answer_said() {
    Host host;
    for (unsigned char n = 1; n <= 5; ++n)
        host.accepted(n);
    std::string seen;
    HistoryAnswers::Words words{"any", "0", "2"};
    json page;
    do {
        page = host.list(words);
        for (const json &one : page["submissions"])
            seen += one["queueId"].get<std::string>().back();
        words.resize(3);
        if (page["more"].get<bool>()) words.push_back(page["next"].get<std::string>());
        if (words.size() == 4) CHECK(words[3].find_first_of(" \n") == std::string::npos);
    } while (page["more"].get<bool>());
    CHECK_EQUAL(seen, "54321");
    CHECK_EQUAL(host.list({"refused", "0", "9"})["submissions"].size(), 0U);
    CHECK_EQUAL(host.list({"any", std::to_string(noon + 4 * minute), "9"})["submissions"].size(),
                2U);
}

static void words_that_are_none_are_refused() {
    const Host host;
    for (const HistoryAnswers::Words &words : {HistoryAnswers::Words{},
                                               {"any"},
                                               {"any", "0", "0"},
                                               {"any", "0", "201"},
                                               {"any", "-1", "2"},
                                               {"any", "0x1", "2"},
                                               {"lost", "0", "2"},
                                               {"any", "0", "2", "here"},
                                               {"any", "0", "2", "1,%z"},
                                               {"any", "0", "2", "1,x", "y"}})
        CHECK(!refusal([&] { (void)host.answers().list(words); }).empty());
    CHECK(!refusal([&] { (void)host.answers().trace({"%4"}); }).empty());
    CHECK(!refusal([&] { (void)host.answers().trace({}); }).empty());
}

static void an_id_travels_as_one_word() {
    for (const std::string &text : {std::string("<a b@c>"), std::string("50% \x01\xff\n"),
                                    std::string(), std::string("g1-00;a b")}) {
        CHECK(as_word(text).find_first_of(" \n\x01\xff") == std::string::npos);
        CHECK_EQUAL(*text_of_word(as_word(text)), text);
    }
    CHECK(!text_of_word("%zz") && !text_of_word("%4") && !text_of_word("%"));
}

static void random_octets_lead_nowhere() {
    const Host host;
    std::mt19937 random(7);
    for (int i = 0; i < 3000; ++i) {
        std::string text(random() % 60, '\0');
        for (char &c : text)
            c = static_cast<char>(i % 2 == 0 ? random() : "g1-0aF;<>@% ,"[random() % 13]);
        CHECK_EQUAL(*text_of_word(as_word(text)), text);
        if (const auto back = text_of_word(text)) CHECK(back->size() <= text.size());
        try {
            CHECK_EQUAL(host.answers().trace({as_word(text)})["found"].size(), 0U);
            (void)host.answers().list({"any", "0", "1", text});
        } catch (const std::invalid_argument &) {
        }
    }
}

static void what_comes_next_is_said_for_each_state() {
    std::set<std::string> said;
    const auto next = [&](State state, const std::string &enhanced = "",
                          journal::Time not_before = 0) {
        Submission one;
        one.state = state;
        one.account = "firm";
        one.queue_id = "4Qabc";
        one.outcome.enhanced = enhanced;
        one.not_before = not_before;
        std::string text = what_is_next(one);
        CHECK(said.insert(text).second);
        return text;
    };
    const auto has = [](const std::string &text, std::string_view part) {
        return text.find(part) != std::string::npos;
    };
    CHECK(has(next(State::accepted), "nothing for you to do"));
    CHECK(has(next(State::refused), "returns the message to the sender"));
    CHECK(has(next(State::submitting), "nothing for you to do"));
    const std::string uncertain = next(State::uncertain);
    CHECK(has(uncertain, "asks the provider again when Postfix brings") &&
          has(uncertain, "postqueue -i 4Qabc") && has(uncertain, "nothing for you to do"));
    CHECK(has(next(State::deferred, "4.7.0"), "demailctl resume firm"));
    CHECK(has(next(State::deferred, "4.3.0"), "demailctl unlock"));
    CHECK(has(next(State::deferred, "4.4.1"), "nothing was sent"));
    CHECK(has(next(State::deferred, "4.3.2", noon),
              "not before the time that the provider asked for"));
    CHECK(!next(State::abandoned).empty());
}

static void a_person_reads_local_times_and_no_control_characters() {
    Host host;
    Submission one = host.hand_over(1, {"bob@x.de-mail.de", "dora@x.de-mail.de"});
    one.recipients[1].outcome = Reply{550, "5.1.1", "Not known"};
    host.settle(one, State::accepted, {250, "2.0.0", "Accepted"}, "<7@p>");
    json answer = host.trace("4Qabc1");
    answer["found"][0]["handOver"]["mailId"] = "<1\x1b[2J@firm.example>";
    const std::string text = ctl::stories_text(answer, true, ctl::Screen(false));
    CHECK(text.find("2026-11-29 13:01:00 CET") != std::string::npos);
    CHECK(text.find('\x1b') == std::string::npos);
    CHECK(text.find("<1\\x1b[2J@firm.example>") != std::string::npos);
    CHECK(text.find("dora@x.de-mail.de  to     refused: 550 5.1.1 Not known") != std::string::npos);
    CHECK(text.find("bob@x.de-mail.de   to     accepted") != std::string::npos);
    CHECK(text.find("there is no " + host.directory.path()) != std::string::npos);
    CHECK_EQUAL(ctl::stories_text(host.trace("nothing"), true, ctl::Screen(false)), "");
}

static void a_list_is_one_line_a_submission() {
    Host host;
    host.accepted(1);
    host.hand_over(2, {"a@x.de-mail.de", "b@x.de-mail.de", "c@x.de-mail.de", "d@x.de-mail.de"});
    const std::string text = ctl::list_text(host.list({"any", "0", "9"}), ctl::Screen(false));
    CHECK(text.find("2026-11-29 13:02:00 CET  submitting  g1-") != std::string::npos);
    CHECK(text.find("a@x.de-mail.de, b@x.de-mail.de, c@x.de-mail.de and 1 more\n") !=
          std::string::npos);
    CHECK_EQUAL(std::count(text.begin(), text.end(), '\n'), 3);
    CHECK(ctl::list_text(host.list({"any", "0", "1"}), ctl::Screen(false)).find("--limit") !=
          std::string::npos);
    CHECK_EQUAL(ctl::list_text(host.list({"refused", "0", "1"}), ctl::Screen(false)),
                "no submissions\n");
}

int main() {
    ::setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    ::tzset();
    return test::run(
        "ctl_history",
        {TEST(each_kind_of_id_leads_to_the_story), TEST(the_story_is_told_in_full),
         TEST(show_tells_of_one_submission_alone), TEST(a_beginning_must_be_long_enough_and_unique),
         TEST(a_list_goes_on_where_its_answer_said), TEST(words_that_are_none_are_refused),
         TEST(an_id_travels_as_one_word), TEST(random_octets_lead_nowhere),
         TEST(what_comes_next_is_said_for_each_state),
         TEST(a_person_reads_local_times_and_no_control_characters),
         TEST(a_list_is_one_line_a_submission)});
}
