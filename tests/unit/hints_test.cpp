// Hints from DNS: what names a domain as De-Mail, and what is made of silence.
#include "base/file.hpp"
#include "configuration_text.hpp"
#include "directory/hints.hpp"
#include "temporary_directory.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <ctime>
#include <map>

using namespace demail;
using namespace demail::directory;
using namespace demail::test;
using dns::SrvAnswer;

namespace {

std::string big_endian(unsigned number) {
    return {static_cast<char>(number >> 8), static_cast<char>(number & 0xff)};
}

/// To the question for _smtp._tcp.town.example, RFC 1035 4.1.
std::string dns_answer(unsigned flags, const std::vector<unsigned> &ports) {
    std::string text = "id" + big_endian(flags) + big_endian(1) +
                       big_endian(static_cast<unsigned>(ports.size())) + big_endian(0) +
                       big_endian(0);
    text.append("\5_smtp\4_tcp\4town\7example\0", 25);
    text += big_endian(33) + big_endian(1);
    for (const unsigned port : ports)
        text += "\xc0\x0c" + big_endian(33) + big_endian(1) + big_endian(0) + big_endian(60) +
                big_endian(7) + big_endian(0) + big_endian(0) + big_endian(port) +
                std::string(1, '\0');
    return text;
}

constexpr unsigned response = 0x8180, truncated = 0x0200, servfail = 2, nxdomain = 3, refused = 5;

DomainNames lines(std::string_view text) {
    auto parsed = parse_domain_lines(text);
    if (const auto *sentence = std::get_if<std::string>(&parsed))
        throw Failure{*sentence, __FILE__, __LINE__};
    return std::get<DomainNames>(std::move(parsed));
}

std::string fault(std::string_view text) {
    const auto parsed = parse_domain_lines(text);
    const auto *sentence = std::get_if<std::string>(&parsed);
    return sentence == nullptr ? "none" : *sentence;
}

HintAnswers asked(const std::map<std::string, SrvAnswer> &dns, const DomainNames &before,
                  int *questions = nullptr) {
    DomainNames watched;
    for (const auto &[domain, answer] : dns)
        watched.insert(domain);
    return ask_for_hints(watched, before, [&](const std::string &domain) {
        if (questions != nullptr) ++*questions;
        return dns.at(domain);
    });
}

struct Files {
    TemporaryDirectory directory;
    HintsConfiguration wish{directory.path() + "/watched", directory.path() + "/hinted",
                            std::chrono::seconds(3600)};
    std::string configuration = directory.path() + "/demail.toml";
    std::int64_t now = std::time(nullptr) + 10; ///< behind the files' own times

    Files() {
        replace_file(wish.watched, "town.example\n", 0644);
        replace_file(configuration, "", 0644);
        replace_file(wish.file, "", 0644);
        written(now);
    }
    void written(std::int64_t when) const {
        const timespec times[2] = {{when, 0}, {when, 0}};
        CHECK_EQUAL(::utimensat(AT_FDCWD, wish.file.c_str(), times, 0), 0);
    }
    [[nodiscard]] bool due(std::int64_t later) const {
        return hints_due(wish, configuration, now + later);
    }
};

} // namespace

static void port_1465_names_a_de_mail_domain_and_no_other_record_does() {
    CHECK(dns::read_srv(dns_answer(response, {1465})) == SrvAnswer::de_mail);
    CHECK(dns::read_srv(dns_answer(response, {25, 1465})) == SrvAnswer::de_mail);
    CHECK(dns::read_srv(dns_answer(response, {25})) == SrvAnswer::none);
    CHECK(dns::read_srv(dns_answer(response, {})) == SrvAnswer::none);
    CHECK(dns::read_srv(dns_answer(response | nxdomain, {})) == SrvAnswer::none);
}

static void an_answer_that_is_none_says_nothing() {
    for (const unsigned code : {servfail, refused})
        CHECK(dns::read_srv(dns_answer(response | code, {})) == SrvAnswer::failed);
    CHECK(dns::read_srv(dns_answer(response | servfail, {1465})) == SrvAnswer::failed);
    CHECK(dns::read_srv(dns_answer(response | truncated, {25})) == SrvAnswer::failed);
    const std::string whole = dns_answer(response, {1465});
    for (std::size_t size = 0; size < whole.size(); ++size)
        CHECK(dns::read_srv(whole.substr(0, size)) == SrvAnswer::failed);
}

static void a_file_has_a_domain_a_line() {
    CHECK((lines("# partners\n\nTown.Example\n  village.example.\r\nmüller.example") ==
           DomainNames{"town.example", "village.example", "xn--mller-kva.example"}));
    CHECK(lines("").empty());
    CHECK_EQUAL(domain_lines(lines("b.example\na.example\n")), "a.example\nb.example\n");
}

static void one_bad_line_spoils_the_file() {
    for (const std::string bad : {"a.example b.example", "*.example", ".example", "example",
                                  "ida@town.example", "town.example # ours", "[192.0.2.1]"})
        CHECK_EQUAL(fault("good.example\n" + bad + "\n"),
                    "line 2 is no domain; write one domain a line.");
    CHECK(fault(std::string("a.exa\0mple\n", 11)) != "none");
    std::string many;
    for (std::size_t i = 0; i < most_domain_lines; ++i)
        many += "n" + std::to_string(i) + ".example\n";
    CHECK_EQUAL(fault(many), "none");
    CHECK_EQUAL(fault(many + "one.example\n"), "it has more than 1000 domains.");
}

static void what_dns_says_counts_and_what_it_does_not_say_stays() {
    const auto answers =
        asked({{"gone.example", SrvAnswer::none},
               {"ill.example", SrvAnswer::failed},
               {"new.example", SrvAnswer::de_mail},
               {"slow.example", SrvAnswer::timeout},
               {"unknown.example", SrvAnswer::failed}},
              {"forgotten.example", "gone.example", "ill.example", "slow.example"});
    CHECK(answers.complete);
    CHECK((answers.hinted == DomainNames{"ill.example", "new.example", "slow.example"}));
    CHECK_EQUAL(answers.not_known.size(), 3U);
}

static void while_dns_is_away_nothing_is_concluded() {
    std::map<std::string, SrvAnswer> dns;
    for (char c = 'a'; c <= 'z'; ++c)
        dns[std::string(1, c) + ".example"] = SrvAnswer::timeout;
    int questions = 0;
    CHECK(!asked(dns, {"a.example"}, &questions).complete);
    CHECK_EQUAL(questions, 3);
    // Every other one.
    for (char c = 'a'; c <= 'z'; c += 2)
        dns[std::string(1, c) + ".example"] = SrvAnswer::none;
    questions = 0;
    CHECK(!asked(dns, {}, &questions).complete);
    CHECK_EQUAL(questions, 20);
    CHECK(!asked({{"a.example", SrvAnswer::failed}}, {}).complete);
    CHECK(asked({}, {"a.example"}).complete);
}

static void dns_is_asked_again_when_the_time_has_come_or_something_has_changed() {
    const Files files;
    CHECK(!files.due(0));
    CHECK(!files.due(3599));
    CHECK(files.due(3600));
    CHECK(files.due(-1)); // a file from the future would never grow old
    for (const std::string &changed : {files.wish.watched, files.configuration}) {
        struct stat status {};
        CHECK_EQUAL(::chmod(changed.c_str(), 0640), 0);
        CHECK_EQUAL(::stat(changed.c_str(), &status), 0);
        files.written(status.st_ctim.tv_sec);
        CHECK(hints_due(files.wish, files.configuration, status.st_ctim.tv_sec));
        files.written(files.now);
        CHECK(!files.due(0));
    }
    CHECK_EQUAL(::unlink(files.wish.file.c_str()), 0);
    CHECK(files.due(0));
}

static void a_section_is_read_with_its_defaults() {
    const auto hints = good("[hints]\nwatched = \"/w\"\n").hints;
    CHECK_EQUAL(hints->watched + " " + hints->file, "/w /var/lib/demail-directory/hinted-domains");
    CHECK(hints->refresh == std::chrono::hours(24));
    CHECK(!good("").hints);
    CHECK(contains(faults("[hints]\n"), "[hints] does not say watched"));
    CHECK(contains(faults("[hints]\nwatched = \"w\"\n"), "watched"));
    CHECK(contains(faults("[hints]\nwatched = \"/w\"\nfile = \"/w\"\n"), "must be two files"));
    CHECK(contains(faults("[hints]\nwatched = \"/w\"\nrefresh = 59\n"), "refresh"));
    CHECK(contains(faults("[hints]\nwatched = \"/w\"\nrefersh = 60\n"), "unknown key"));
}

int main() {
    return run("hints", {TEST(port_1465_names_a_de_mail_domain_and_no_other_record_does),
                         TEST(an_answer_that_is_none_says_nothing),
                         TEST(a_file_has_a_domain_a_line), TEST(one_bad_line_spoils_the_file),
                         TEST(what_dns_says_counts_and_what_it_does_not_say_stays),
                         TEST(while_dns_is_away_nothing_is_concluded),
                         TEST(dns_is_asked_again_when_the_time_has_come_or_something_has_changed),
                         TEST(a_section_is_read_with_its_defaults)});
}
