#include "programs/ctl_history_text.hpp"

#include "programs/ctl_time.hpp"

#include <fmt/format.h>

namespace demail::ctl {

using nlohmann::json;

namespace {

constexpr std::size_t shown_digits = sizeof "g1-0123456789ab" - 1;

std::string text(const json &object, const char *name) {
    const auto place = object.find(name);
    return place != object.end() && place->is_string() ? place->get<std::string>() : "";
}

std::string when(const json &object, const char *name) {
    return local_time(read_time(text(object, name)));
}

json part(const json &object, const char *name) {
    const auto place = object.find(name);
    return place == object.end() ? json() : *place;
}

Tone tone_of_state(const std::string &state) {
    if (state == "accepted") return Tone::good;
    return state == "refused" ? Tone::bad : Tone::warning;
}

std::string reply_text(const json &reply) {
    if (!reply.is_object()) return "";
    return fmt::format("{} {} {}", reply.value("code", 0), text(reply, "enhanced"),
                       text(reply, "text"));
}

/// "and 3 recipients more"; nothing where all are shown.
std::string left_out(std::size_t shown, std::size_t all, const char *what) {
    return shown >= all ? "" : fmt::format("and {} {} more\n", all - shown, what);
}

std::string recipients_in_short(const json &submission) {
    std::string all;
    const json recipients = part(submission, "recipients");
    for (const json &one : recipients)
        all += (all.empty() ? "" : ", ") + text(one, "address");
    const std::size_t in_all = submission.value("recipientsInAll", std::size_t{0});
    if (in_all > recipients.size()) all += fmt::format(" and {} more", in_all - recipients.size());
    return all;
}

void add_unless_empty(Table &table, const char *name, const std::string &value) {
    if (!value.empty()) table.add({name, value});
}

std::string hand_over_text(const json &story, const Screen &screen) {
    const json given = part(story, "handOver");
    const std::string envelope = text(given, "envelopeSender");
    Table table;
    table.add({{"hand-over", Tone::heading},
               fmt::format("account {}, from {} as {}", text(given, "account"),
                           envelope.empty() ? "<>" : envelope, text(given, "sender"))});
    add_unless_empty(table, "mail", text(given, "mailId"));
    add_unless_empty(table, "sealed", when(given, "sealed"));
    add_unless_empty(table, "first brought", when(given, "firstBrought"));
    return table.str(screen);
}

std::string changes_text(const json &submission, const Screen &screen) {
    Table table({"TIME", "STATE", "REPLY"});
    for (const json &one : part(submission, "changes")) {
        const std::string state = text(one, "state");
        const json code = part(one, "code");
        table.add({when(one, "at"),
                   {state, tone_of_state(state)},
                   (code.is_number() ? code.dump() + " " : "") + text(one, "text")});
    }
    return table.str(screen);
}

std::string recipients_text(const json &submission, const Screen &screen) {
    Table table({"RECIPIENT", "FIELD", "FATE"});
    const std::string state = text(submission, "state");
    const json recipients = part(submission, "recipients");
    for (const json &one : recipients) {
        const json own = part(one, "reply");
        if (own.is_object())
            table.add(
                {text(one, "address"),
                 text(one, "field"),
                 {own.value("code", 0) >= 500 ? "refused: " + reply_text(own) : reply_text(own),
                  Tone::bad}});
        else
            table.add({text(one, "address"), text(one, "field"), {state, tone_of_state(state)}});
    }
    return table.str(screen) + left_out(recipients.size(),
                                        submission.value("recipientsInAll", std::size_t{0}),
                                        "recipients");
}

std::string submission_text(const json &submission, const Screen &screen) {
    const std::string state = text(submission, "state");
    Table table;
    table.add({{"submission", Tone::heading}, text(submission, "privateId")});
    table.add({"state", {state, tone_of_state(state)}});
    add_unless_empty(table, "reply", reply_text(part(submission, "reply")));
    add_unless_empty(table, "message id", text(submission, "messageId"));
    add_unless_empty(table, "queue id", text(submission, "queueId"));
    add_unless_empty(table, "first attempt", when(submission, "firstAttempt"));
    add_unless_empty(table, "last attempt", when(submission, "lastDelivery"));
    add_unless_empty(table, "not before", when(submission, "notBefore"));
    add_unless_empty(table, "relay", text(submission, "relay"));
    table.add({"next", text(submission, "next")});
    const json evidence = part(submission, "evidence");
    const std::string directory = text(evidence, "directory");
    const std::string purged = when(evidence, "purged");
    if (!evidence.value("there", false))
        table.add({"evidence", "the journal alone; there is no " + directory});
    else if (purged.empty())
        table.add({"evidence", directory});
    else
        table.add({"evidence", "removed on " + purged +
                                   ", as [retention] says; what it was is in " + directory +
                                   "/purged.json"});
    return table.str(screen) + "\n" + recipients_text(submission, screen) + "\n" +
           changes_text(submission, screen);
}

} // namespace

std::string list_text(const json &answer, const Screen &screen) {
    const json submissions = part(answer, "submissions");
    if (submissions.empty()) return "no submissions\n";
    Table table({"FIRST ATTEMPT", "STATE", "PRIVATE-ID", "QUEUE ID", "SENDER", "RECIPIENTS"});
    for (const json &one : submissions) {
        const std::string state = text(one, "state");
        table.add({when(one, "firstAttempt"),
                   {state, tone_of_state(state)},
                   text(one, "privateId").substr(0, shown_digits),
                   text(one, "queueId"),
                   text(one, "sender"),
                   recipients_in_short(one)});
    }
    return table.str(screen) +
           (answer.value("more", false) ? "There are more: --limit shows them.\n" : "");
}

std::string stories_text(const json &answer, bool whole, const Screen &screen) {
    std::string all;
    for (const json &story : part(answer, "found")) {
        if (!all.empty()) all += "\n";
        all += hand_over_text(story, screen);
        const json submissions = part(story, "submissions");
        for (const json &one : submissions)
            all += "\n" + submission_text(one, screen);
        if (whole)
            all += left_out(submissions.size(), story.value("submissionsInAll", std::size_t{0}),
                            "submissions");
    }
    if (answer.value("more", false)) all += "\nThere are more hand-overs; these are the latest.\n";
    return all;
}

} // namespace demail::ctl
