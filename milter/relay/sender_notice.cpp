#include "relay/sender_notice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <string_view>

namespace demail::relay {

namespace {

using journal::State;

constexpr journal::Time microseconds = 1'000'000;

struct Words {
    std::string_view subject, german, english;
};

constexpr Words accepted_words{
    "De-Mail wurde doch angenommen / De-Mail was accepted after all",
    "Ihre De-Mail ist beim De-Mail-Anbieter angekommen und von ihm angenommen worden.\r\n"
    "Eine Unzustellbarkeitsmeldung, die Sie zu ihr erhalten haben, gilt nicht.\r\n"
    "Senden Sie sie nicht noch einmal: Sie ginge sonst ein zweites Mal zu.\r\n",
    "Your De-Mail has reached the De-Mail provider, which has accepted it.\r\n"
    "A notice that it could not be delivered does not hold.\r\n"
    "Do not send it again: it would be delivered a second time.\r\n"};
constexpr Words refused_words{
    "De-Mail wurde nicht angenommen / De-Mail was refused",
    "Der De-Mail-Anbieter hat Ihre De-Mail nicht angenommen; sie wurde nicht versandt.\r\n"
    "Den Grund nennt die Antwort unten. Beheben Sie ihn und senden Sie sie dann neu.\r\n",
    "The De-Mail provider has refused your De-Mail; it was not sent.\r\n"
    "The reply below says why. Mend that and send it anew.\r\n"};
constexpr Words abandoned_words{
    "De-Mail wurde nicht versandt / De-Mail was not sent",
    "Ihre De-Mail ist beim De-Mail-Anbieter nicht angekommen; er kennt sie nicht.\r\n"
    "Sie wurde nicht versandt und wird es nicht mehr. Senden Sie sie neu, wenn sie\r\n"
    "noch gebraucht wird, und achten Sie auf Fristen.\r\n",
    "Your De-Mail has not reached the De-Mail provider, which does not know it.\r\n"
    "It was not sent and will not be. Send it anew where it is still needed, and mind\r\n"
    "time limits.\r\n"};

const Words &words_for(State state) {
    return state == State::accepted  ? accepted_words
           : state == State::refused ? refused_words
                                     : abandoned_words;
}

/// RFC 5322 3.3, in UTC.
std::string date(journal::Time at) {
    const std::time_t seconds = at / microseconds;
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    constexpr std::string_view days = "SunMonTueWedThuFriSat",
                               months = "JanFebMarAprMayJunJulAugSepOctNovDec";
    return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} +0000",
                       days.substr(static_cast<std::size_t>(parts.tm_wday) * 3, 3), parts.tm_mday,
                       months.substr(static_cast<std::size_t>(parts.tm_mon) * 3, 3),
                       parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

/// Whether it may stand in a field as it is: the sender wrote it.
bool is_message_id(std::string_view text) {
    return text.size() > 2 && text.size() <= 250 && text.front() == '<' && text.back() == '>' &&
           std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

std::string recipients_of(const journal::Submission &submission) {
    constexpr std::size_t most = 100;
    std::string text;
    std::size_t named = 0;
    for (const auto &one : submission.recipients) {
        if (named++ == most)
            return text + fmt::format("  … ({} in all)\r\n", submission.recipients.size());
        text += "  " + one.recipient.address.str();
        if (one.outcome && submission.state == State::accepted)
            text += fmt::format(": {} {}", one.outcome->code, one.outcome->text);
        text += "\r\n";
    }
    return text;
}

} // namespace

std::string sender_notice(const journal::HandOver &hand_over, const journal::Submission &submission,
                          const std::string &host, journal::Time now) {
    const Words &words = words_for(submission.state);
    const bool answers = is_message_id(hand_over.mail_id);
    // The same id each time: a mailbox that gets it twice shows one.
    std::string text =
        fmt::format("From: MAILER-DAEMON (De-Mail gateway)\r\n"
                    "To: <{}>\r\n"
                    "Subject: {}\r\n"
                    "Date: {}\r\n"
                    "Message-ID: <{}.{}@{}>\r\n",
                    hand_over.envelope_sender, words.subject, date(now),
                    submission.private_id.gateway_part(), journal::name(submission.state), host);
    if (answers) text += fmt::format("In-Reply-To: {0}\r\nReferences: {0}\r\n", hand_over.mail_id);
    text += "Auto-Submitted: auto-replied\r\n"
            "MIME-Version: 1.0\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n"
            "Content-Transfer-Encoding: 8bit\r\n\r\n";
    text += words.german;
    text += "\r\n";
    text += words.english;
    text += fmt::format("\r\nEmpfänger / recipients:\r\n{}", recipients_of(submission));
    text += fmt::format("Übergeben / handed over:\r\n  {}\r\n", date(hand_over.seal_time));
    if (answers) text += fmt::format("Message-ID:\r\n  {}\r\n", hand_over.mail_id);
    text += fmt::format("Kennung / private-id:\r\n  {}\r\n", submission.private_id.gateway_part());
    if (submission.state != State::abandoned)
        text += fmt::format("Antwort / reply:\r\n  {} {} {}\r\n", submission.outcome.code,
                            submission.outcome.enhanced, submission.outcome.text);
    return text;
}

} // namespace demail::relay
