// Speaks to a provider as the relay does and says what came of it, for tests/e2e/test_soap.py:
//
//     soap_probe URL CA SIGNER SCHEMA-DIRECTORY KEY COMMAND…
//
// KEY is a PKCS#11 URI, or KEY-FILE,CERTIFICATE-FILE. SIGNER: comma list. COMMAND: account; domains
// [VERSION]; find PRIVATE-ID; fetch ID FILE; submit FILE PRIVATE-ID SENDER FIELD=ADDRESS… (the file
// is the message); repeat N COMMAND…; pss COMMAND…; patience SECONDS COMMAND…; write FILE submit …
// (writes the envelope there and sends nothing). One line of JSON an answer.
#include "../unit/software_key.hpp"
#include "soap/envelope.hpp"
#include "soap/reference_provider.hpp"

#include <fcntl.h>
#include <signal.h>

#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <span>

using namespace demail;
using nlohmann::json;

namespace {

using Words = std::span<char *const>;

std::shared_ptr<crypto::TokenKey> open_key(const std::string &text) {
    if (text.starts_with("pkcs11:"))
        return crypto::TokenKey::open(std::get<crypto::KeyUri>(crypto::KeyUri::parse(text)));
    const auto comma = text.find(',');
    return test::SoftwareKey::from_pem(text.substr(0, comma), text.substr(comma + 1));
}

json shown(const soap::Account &account) {
    return {{"holder", account.holder},
            {"high", account.high_level},
            {"domains", account.domains},
            {"rights", account.rights.str()},
            {"maxMessageBytes", account.max_message_bytes}};
}
json shown(const soap::Domains &domains) {
    return {{"version", domains.version},
            {"unchanged", domains.unchanged},
            {"domains", domains.domains}};
}
json shown(const soap::Submitted &submitted) {
    json rejected = json::array();
    for (const auto &one : submitted.rejected)
        rejected.push_back({one.address, one.code, one.reason});
    return {{"privateId", submitted.private_id},
            {"messageId", submitted.message_id},
            {"acceptedAt", submitted.accepted_at},
            {"rejected", rejected}};
}
json shown(const soap::Message &message) {
    return {{"id", message.id}, {"bytes", message.bytes}};
}
json shown(const soap::Found &found) {
    constexpr std::array states{"unknown", "accepted", "refused"};
    return {{"privateId", found.private_id},
            {"state", states.at(static_cast<std::size_t>(found.state))},
            {"messageId", found.message_id},
            {"reason", found.reason}};
}

template <typename Reply>
void say(const soap::Answer<Reply> &answer) {
    json line;
    if (const auto *reply = std::get_if<Reply>(&answer)) {
        line = {{"outcome", "reply"}, {"reply", shown(*reply)}};
    } else if (const auto *fault = std::get_if<soap::Fault>(&answer)) {
        line = {{"outcome", "fault"}, {"code", fault->code}, {"why", fault->reason}};
        if (fault->retry_after_seconds) line["retryAfterSeconds"] = *fault->retry_after_seconds;
    } else if (const auto *not_sent = std::get_if<soap::NotSent>(&answer)) {
        line = {{"outcome", "not-sent"},
                {"why", not_sent->why},
                {"loginRefused", not_sent->login_refused}};
    } else if (const auto *no_answer = std::get_if<soap::NoAnswer>(&answer)) {
        line = {{"outcome", "no-answer"},
                {"why", no_answer->why},
                {"loginRefused", no_answer->login_refused}};
    } else {
        line = {{"outcome", "token-fault"}, {"why", std::get<soap::TokenFault>(answer).why}};
    }
    // Not getrusage(): its peak is handed down from the parent across exec.
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;)
        if (long peak = 0; word == "VmHWM:" && status >> peak) line["peakKiB"] = peak;
    std::cout << line.dump(-1, ' ', false, json::error_handler_t::replace) << std::endl;
}

// The private-id that a gateway would make, put together here from its text.
soap::Submission submission(Words words, const Fd &file) {
    const auto sender = Address::parse(words[3]);
    const auto id = PrivateId::parse(words[2]);
    if (!sender || !id) throw std::runtime_error("no sender or private-id");
    soap::Submission made{*id, *sender, {}, {}, {}};
    for (const char *word : words.subspan(4)) {
        const std::string_view text(word);
        if (text.starts_with("option=")) {
            made.options.set(option_named(text.substr(7)).value());
            continue;
        }
        const auto equals = text.find('=');
        const std::string_view field = text.substr(0, equals);
        made.recipients.push_back({Address::parse(text.substr(equals + 1)).value(),
                                   field == "cc"    ? RecipientField::cc
                                   : field == "bcc" ? RecipientField::bcc
                                                    : RecipientField::to});
    }
    // Header and body apart, as the relay has them.
    std::ifstream in(words[1], std::ios::binary);
    for (std::string line; std::getline(in, line) && line != "\r";)
        made.content.header += line + "\n";
    made.content.header += "\r\n";
    made.content.body_fd = file.get();
    made.content.body_offset = static_cast<off_t>(made.content.header.size());
    in.clear();
    in.seekg(0, std::ios::end);
    made.content.body_length = static_cast<std::uint64_t>(in.tellg()) - made.content.header.size();
    return made;
}

void run(soap::Provider &provider, Words words) {
    const std::string command = words[0];
    if (command == "account") {
        say(provider.get_account());
    } else if (command == "domains") {
        say(provider.get_domains(words.size() > 1 ? std::optional<std::string>(words[1])
                                                  : std::nullopt));
    } else if (command == "find") {
        say(provider.find_submission(words[1]));
    } else if (command == "fetch") {
        const Fd file(::open(words[2], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
        say(provider.fetch_message(words[1], file.get()));
    } else if (command == "submit") {
        const Fd file(::open(words[1], O_RDONLY | O_CLOEXEC));
        say(provider.submit(submission(words, file)));
    } else if (command == "repeat") {
        for (int i = 0; i < std::stoi(words[1]); ++i)
            run(provider, words.subspan(2));
    } else {
        throw std::runtime_error("no such command: " + command);
    }
}

/// The request as it would go out.
void write(const soap::Endpoint &endpoint, const crypto::TokenKey &key, const char *out,
           Words words) {
    const Fd file(::open(words[1], O_RDONLY | O_CLOEXEC));
    const soap::Submission made = submission(words, file);
    const auto envelope = soap::write_envelope(
        soap::submit_request(made).value(), endpoint.url, key, endpoint.rsa_pss,
        std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()));
    std::ofstream(out, std::ios::binary) << std::get<soap::Envelope>(envelope).text;
    std::cout << json{{"outcome", "written"}} << std::endl;
}

} // namespace

int main(int argc, char **argv) {
    ::signal(SIGPIPE, SIG_IGN);
    try {
        const Words words(argv, static_cast<std::size_t>(argc));
        soap::Endpoint endpoint;
        endpoint.url = words[1];
        endpoint.ca_file = words[2];
        std::istringstream signers(words[3]);
        for (std::string signer; std::getline(signers, signer, ',');)
            endpoint.reply_signer.push_back(signer);
        endpoint.schema_directory = words[4];
        const auto key = open_key(words[5]);
        Words command = words.subspan(6);
        const char *out = nullptr;
        for (;;) {
            if (std::string_view(command[0]) == "pss") {
                endpoint.rsa_pss = true;
                command = command.subspan(1);
            } else if (std::string_view(command[0]) == "patience") {
                endpoint.connect_timeout = endpoint.answer_timeout =
                    std::chrono::seconds(std::stoi(command[1]));
                command = command.subspan(2);
            } else if (std::string_view(command[0]) == "write") {
                out = command[1];
                command = command.subspan(2);
            } else {
                break;
            }
        }
        if (out != nullptr)
            write(endpoint, *key, out, command);
        else
            run(*soap::connect_reference(endpoint, key, key), command);
        return 0;
    } catch (const std::exception &error) {
        std::cerr << "soap_probe: " << error.what() << "\n";
        return 78;
    }
}
