// A small firm for the milter's tests: its rules, its domain list on disk, and what was logged.
#pragma once

#include "filter/session.hpp"
#include "temporary_directory.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace demail::test {

inline SenderRule rule(std::string_view from, std::string_view as) {
    SenderRule one;
    one.account = "firm";
    one.from = *AddressPattern::parse(from);
    one.as = *AddressPattern::parse(as);
    return one;
}

/// Anna logs in; robot may hand in by sendmail(1); a printer's network may send as scan; in the
/// branch any login serves for any sender.
inline std::vector<SenderRule> firm_rules() {
    SenderRule people = rule("*@firm.example", "*@firm.de-mail.de");
    people.login = "*";
    people.defaults.set(Option::confirmation_of_dispatch);
    people.allow.set(Option::confirmation_of_receipt);
    people.allow.set(Option::personal);
    SenderRule robot = rule("robot@firm.example", "robot@firm.de-mail.de");
    robot.local = true;
    SenderRule scan = rule("scan@firm.example", "scan@firm.de-mail.de");
    scan.networks.push_back(*Network::parse("10.0.0.0/8"));
    SenderRule branch = rule("*@branch.example", "*@branch.de-mail.de");
    branch.login = "any";
    return {people, robot, scan, branch};
}

struct Logged final : filter::EventSink {
    std::vector<std::string> lines;
    void event(log::Level, std::string_view name,
               std::initializer_list<log::Field> fields) override {
        lines.push_back(log::line(name, fields));
    }
};

/// The domain list's files.
class ListOnDisk {
  public:
    static constexpr const char *builtin = "de-mail.de active\n.de-mail.de active\n";

    ListOnDisk() {
        write("domains", builtin);
        write("domains.indexed", builtin);
        write("domains.db", "");
    }
    [[nodiscard]] std::string path() const { return file("domains"); }
    void write(const std::string &name, const std::string &text) {
        // As the relay does it: a new file in the old one's place.
        std::ofstream(file("new")) << text;
        std::filesystem::rename(file("new"), file(name));
    }
    void remove(const std::string &name) { std::filesystem::remove(file(name)); }
    void both(const std::string &extra) {
        write("domains", builtin + extra);
        write("domains.indexed", builtin + extra);
    }

  private:
    [[nodiscard]] std::string file(const std::string &name) const {
        return directory_.path() + "/" + name;
    }
    TemporaryDirectory directory_;
};

class Firm {
  public:
    using Change = std::function<void(filter::Settings &)>;
    explicit Firm(bool observe = false, bool refuse_mixed = false, const Change &change = {})
        : settings_(make(observe, refuse_mixed, change)),
          current_(settings_), around_{current_, logged, [this] { return time; }},
          session(around_) {}

    /// Anna at her desk.
    void mail_from_anna() { session.mail("<anna@firm.example>", {"192.0.2.7", "587", "anna", ""}); }
    void sendmail_from(std::string_view sender) {
        session.mail(sender, {"127.0.0.1", "0", "", "4Qabcde"});
    }
    /// "250" or "550 5.7.1".
    std::string rcpt(std::string_view text) {
        const auto reply = session.recipient(text, "4QabcdE");
        return reply ? std::to_string(reply->code) + " " + reply->enhanced : "250";
    }
    /// The header, a field a line, and what is decided at its end: "let go", "skip body",
    /// "take body" or "550 5.7.1 sentence".
    std::string header(const std::vector<HeaderField> &fields) {
        for (const HeaderField &field : fields)
            session.header(field.name, field.value);
        const auto outcome = session.end_of_header("4QabcdE");
        if (const auto *reply = std::get_if<Reply>(&outcome))
            return std::to_string(reply->code) + " " + reply->enhanced + " " + reply->text;
        switch (std::get<filter::AfterHeader>(outcome)) {
        case filter::AfterHeader::let_go:
            return "let go";
        case filter::AfterHeader::skip_body:
            return "skip body";
        default:
            return "take body";
        }
    }
    /// The header of an honest letter from Anna with one field more.
    std::string annas_header(std::vector<HeaderField> more = {}) {
        more.insert(more.begin(), {{"From", " Anna <anna@firm.example>"}, {"Subject", " Hello"}});
        return header(more);
    }
    /// Of a message that is not refused at its end.
    filter::Changes changes() {
        return std::get<filter::Changes>(session.end_of_message("4QabcdE"));
    }
    [[nodiscard]] SealKeys keys() const { return settings_->keys; }
    [[nodiscard]] std::shared_ptr<const filter::Settings> settings() const { return settings_; }
    [[nodiscard]] bool logged_line_with(std::string_view part) const {
        for (const std::string &line : logged.lines)
            if (line.find(part) != std::string::npos) return true;
        return false;
    }

    ListOnDisk list;
    Logged logged;
    std::shared_ptr<const SenderRules> rules = std::make_shared<const SenderRules>(firm_rules());
    std::int64_t time = 1700000000;

  private:
    std::shared_ptr<const filter::Settings> make(bool observe, bool refuse_mixed,
                                                 const Change &change) {
        auto settings = std::make_shared<filter::Settings>();
        const EndedProviders::Domain ended{
            std::make_shared<EndedProvider>(EndedProvider{"Old Post", "2022-08-31", "", ""}),
            false};
        settings->observe = observe;
        settings->refuse_mixed_recipients = refuse_mixed;
        settings->rules = [this] { return rules; };
        settings->ended.add("ended.de-mail.de", ended);
        settings->ended.add("unlisted.example", ended);
        settings->ended.add(
            "later.de-mail.de",
            {std::make_shared<EndedProvider>(EndedProvider{"N", "2031-12", "", ""}), false});
        settings->seal_lifetime = std::chrono::days(6);
        settings->keys = std::get<SealKeys>(SealKeys::parse("k1 " + std::string(64, 'a') + "\n"));
        // A clock that moves a second with every look, so that changes are seen at once.
        settings->domains = std::make_shared<filter::DomainList>(
            list.path(), [time = std::chrono::steady_clock::time_point{}]() mutable {
                return time += std::chrono::seconds(1);
            });
        if (change) change(*settings);
        return settings;
    }

    std::shared_ptr<const filter::Settings> settings_;
    filter::CurrentSettings current_;
    filter::Surroundings around_;

  public:
    filter::Session session;
};

} // namespace demail::test
