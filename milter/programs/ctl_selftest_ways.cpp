#include "programs/ctl_selftest_ways.hpp"

#include "base/digest.hpp"
#include "message/ascii.hpp"
#include "programs/ctl_smtp_dialogue.hpp"
#include "relay/command.hpp"

#include <fmt/format.h>
#include <netdb.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <utility>

namespace demail::ctl {

namespace {

using namespace std::chrono_literals;
using Addresses = std::vector<std::string>;

/// smtpd(8) waits after ten refusals in a session (smtpd_soft_error_limit).
constexpr std::size_t in_a_session = 8;
constexpr int most_tries = 5;
constexpr std::chrono::milliseconds longest = 60s, soon = 3s, pause = 200ms, settled_for = 1s;

std::string marker() {
    std::array<unsigned char, 12> bytes{};
    random_bytes(bytes.data(), bytes.size());
    return "leak-probe." + hex(view(bytes));
}

std::string port_number(const std::string &service) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo *found = nullptr;
    if (::getaddrinfo(nullptr, service.c_str(), &hints, &found) != 0) return service;
    const Handle<addrinfo, ::freeaddrinfo> list(found);
    std::array<char, 16> port{};
    if (::getnameinfo(list->ai_addr, list->ai_addrlen, nullptr, 0, port.data(), port.size(),
                      NI_NUMERICSERV) != 0)
        return service;
    return port.data();
}

/// Where Postfix listens for a service that names no host.
std::string own_host(const PostfixView &view) {
    const auto interfaces = list_elements(view.facts.value("inet_interfaces"));
    if (interfaces.empty() || interfaces.front() == "all" || interfaces.front() == "loopback-only")
        return "127.0.0.1";
    return interfaces.front();
}

/// nullopt: not one that takes mail from a client.
std::optional<SmtpEndpoint> endpoint_of(const PostfixView &view, const Service &service) {
    const MasterLine &line = service.line();
    const bool screen = line.command == "postscreen";
    if (line.command != "smtpd" && !screen) return std::nullopt;
    SmtpEndpoint endpoint;
    endpoint.tls_at_once = service.value("smtpd_tls_wrappermode") == "yes";
    if (line.type == "unix") {
        endpoint.socket = fmt::format("{}/{}/{}", view.facts.value("queue_directory"),
                                      line.open_to_all ? "public" : "private", line.name);
        return endpoint;
    }
    if (line.type != "inet") return std::nullopt;
    const auto colon = line.name.rfind(':');
    endpoint.port =
        port_number(colon == std::string::npos ? line.name : line.name.substr(colon + 1));
    endpoint.host = colon == std::string::npos ? own_host(view) : line.name.substr(0, colon);
    if (endpoint.host.starts_with('[') && endpoint.host.ends_with(']'))
        endpoint.host = endpoint.host.substr(1, endpoint.host.size() - 2);
    return endpoint;
}

/// "scan:[127.0.0.1]:10024" and what smtp(8) logs: "127.0.0.1[127.0.0.1]:10024".
bool is_destination(std::string_view relay, std::string_view filter) {
    const auto colon = filter.find(':');
    if (colon == std::string_view::npos) return false;
    filter.remove_prefix(colon + 1);
    for (const std::string_view scheme : {"inet:", "unix:"})
        if (filter.starts_with(scheme)) filter.remove_prefix(scheme.size());
    const auto open = relay.find('['), close = relay.find(']');
    if (filter.empty() || open == std::string_view::npos || close == std::string_view::npos)
        return false;
    const std::string_view name = relay.substr(0, open),
                           address = relay.substr(open + 1, close - open - 1),
                           port = relay.substr(close + 1);
    for (const std::string_view host : {name, address})
        for (const std::string &form :
             {fmt::format("{}{}", host, port), fmt::format("[{}]{}", host, port)})
            if (filter == form) return true;
    return false;
}

/// With line ends for SMTP or for sendmail(1).
std::string message(const std::string &id, std::string_view line_end) {
    std::string text;
    for (const std::string &line :
         {std::string("From: demailctl selftest <MAILER-DAEMON>"),
          std::string("To: undisclosed-recipients:;"),
          std::string("Subject: demailctl selftest leak"), "Message-ID: <" + id + ">",
          std::string("Auto-Submitted: auto-generated"), std::string(),
          std::string("A probe of demailctl selftest leak on this host. Nobody needs to read it.")})
        text.append(line).append(line_end);
    return text;
}

class Probes {
  public:
    explicit Probes(const PostfixView &view) : view_(view), log_(view.facts), mark_(marker()) {
        for (const Setting &one : settings_of(view, "content_filter"))
            if (!one.value.empty()) filters_.push_back(one.value);
    }
    WayReport by_smtp(const Service &service, const SmtpEndpoint &endpoint,
                      const Addresses &addresses);
    WayReport by_program(std::string name, const Addresses &senders, const Addresses &recipients);
    /// Until all that was taken has come to rest, or a minute is over.
    void wait();
    void judge(WayReport &way) const;
    /// What waits leaves the queue: nobody needs it.
    void take_back() const;

  private:
    struct Sent {
        std::string id, way, sender, recipient; ///< the last two by sendmail(1) alone
        std::string in_maildrop;                ///< its queue id there
    };
    Sent &new_probe(const WayReport &way);
    [[nodiscard]] std::vector<nlohmann::json> queue() const; ///< as postqueue -j shows it
    void look_into_maildrop();
    /// How many of the way's messages, or of all where it is "", have not come to rest.
    [[nodiscard]] std::size_t open(std::string_view way = "") const;
    void session(const SmtpEndpoint &endpoint, const Addresses &addresses, WayReport &way);
    [[nodiscard]] relay::CommandResult command(std::string program,
                                               std::vector<std::string> arguments,
                                               std::string_view input = "") const;

    const PostfixView &view_;
    PostfixLog log_;
    LogStory story_;
    std::string mark_;
    std::vector<std::string> filters_;
    std::vector<Sent> sent_;
};

Probes::Sent &Probes::new_probe(const WayReport &way) {
    Sent one;
    one.id = fmt::format("{}.{}@{}", mark_, sent_.size(), view_.facts.value("myhostname"));
    one.way = way.name;
    sent_.push_back(std::move(one));
    return sent_.back();
}

WayReport Probes::by_smtp(const Service &service, const SmtpEndpoint &endpoint,
                          const Addresses &addresses) {
    WayReport way;
    way.name = service.line().command + " " + service.name();
    for (std::size_t i = 0; i < addresses.size() && way.unknown.empty(); i += in_a_session) {
        const auto begin = addresses.begin() + static_cast<std::ptrdiff_t>(i);
        const auto count = std::min(in_a_session, addresses.size() - i);
        try {
            session(endpoint, Addresses(begin, begin + static_cast<std::ptrdiff_t>(count)), way);
        } catch (const std::runtime_error &error) {
            way.unknown = fmt::format("not tried to the end ({}): see whether Postfix runs and "
                                      "listens there",
                                      error.what());
        }
    }
    return way;
}

void Probes::session(const SmtpEndpoint &endpoint, const Addresses &addresses, WayReport &way) {
    SmtpDialogue dialogue(endpoint);
    const auto command = [&](std::string_view line) {
        const SmtpReply reply = dialogue.command(line);
        if (reply.code == 0) throw std::runtime_error("the connection broke");
        return reply;
    };
    way.probes += addresses.size();
    const bool utf8 = command("MAIL FROM:<> SMTPUTF8").good();
    std::size_t taken = 0;
    if (utf8 || command("MAIL FROM:<>").good())
        for (const std::string &one : addresses)
            if ((utf8 || ascii::only(one)) && command("RCPT TO:<" + one + ">").good()) ++taken;
    way.refused += addresses.size() - taken;
    if (taken > 0) {
        const std::string &id = new_probe(way).id;
        if (command("DATA").code == 354 && command(message(id, "\r\n") + ".").good())
            story_.follow(id);
        else
            way.refused += taken;
    }
    (void)dialogue.command("QUIT"); // whatever it says
}

WayReport Probes::by_program(std::string name, const Addresses &senders,
                             const Addresses &recipients) {
    WayReport way;
    way.name = std::move(name);
    for (const std::string &sender : senders)
        for (const std::string &recipient : recipients) {
            Sent &one = new_probe(way);
            one.sender = sender;
            one.recipient = recipient;
            ++way.probes;
            if (command("sendmail", {"-i", "-f", sender, "--", recipient}, message(one.id, "\n"))
                    .exit_status == 0)
                story_.follow(one.id);
            else
                ++way.refused;
        }
    return way;
}

relay::CommandResult Probes::command(std::string program, std::vector<std::string> arguments,
                                     std::string_view input) const {
    const bool sendmail = program == "sendmail"; // its -c is something else
    arguments.insert(arguments.begin(),
                     {std::move(program), sendmail ? "-C" : "-c", view_.directory});
    return relay::run_command(arguments, relay::Errors::kept, input);
}

void Probes::wait() {
    using Clock = std::chrono::steady_clock;
    const auto begin = Clock::now();
    auto last = begin; // that not all was at rest
    while (Clock::now() - begin < longest) {
        story_.add(log_.more());
        if (open() > 0 && Clock::now() - begin > soon) look_into_maildrop();
        if (open() > 0) last = Clock::now();
        // A content filter may hand back a little later.
        if (Clock::now() - last > settled_for) return;
        std::this_thread::sleep_for(pause);
    }
}

std::size_t Probes::open(std::string_view way) const {
    const auto open = story_.open();
    return static_cast<std::size_t>(std::count_if(sent_.begin(), sent_.end(), [&](const Sent &one) {
        return (way.empty() || one.way == way) && one.in_maildrop.empty() && open.contains(one.id);
    }));
}

std::vector<nlohmann::json> Probes::queue() const {
    std::vector<nlohmann::json> entries;
    std::istringstream listed(command("postqueue", {"-j"}).output);
    for (std::string line; std::getline(listed, line);)
        if (auto entry = nlohmann::json::parse(line, nullptr, false); entry.is_object())
            entries.push_back(std::move(entry));
    return entries;
}

/// What the milter answers with 4xx, or does not answer, stays there; the log does not name it.
void Probes::look_into_maildrop() {
    for (const auto &entry : queue()) {
        if (entry.value("queue_name", "") != "maildrop") continue;
        std::string sender = entry.value("sender", "");
        if (sender == "MAILER-DAEMON") sender = "<>";
        const auto recipients = entry.value("recipients", nlohmann::json::array());
        if (recipients.size() != 1 || !recipients[0].is_object()) continue;
        const std::string recipient = recipients[0].value("address", "");
        for (Sent &one : sent_)
            if (one.sender == sender && one.recipient == recipient)
                one.in_maildrop = entry.value("queue_id", "");
    }
}

void Probes::judge(WayReport &way) const {
    for (const Sent &sent : sent_) {
        if (sent.way != way.name) continue;
        if (!sent.in_maildrop.empty()) ++way.waiting;
        const auto all = story_.deliveries(sent.id);
        // Of a message that bounced its bounce counts.
        const bool bounce =
            std::any_of(all.begin(), all.end(), [](const Delivery &one) { return one.of_bounce; });
        for (const Delivery &one : all) {
            const Fate fate = fate_of(one, view_.wishes.lmtp_socket, filters_);
            if (fate == Fate::leak) way.leaks.push_back(one);
            if (one.of_bounce != bounce) continue;
            way.bounced += fate == Fate::bounced ? 1 : 0;
            way.waiting += fate == Fate::waiting ? 1 : 0;
            way.kept += fate == Fate::kept ? 1 : 0;
        }
    }
    if (const auto left = open(way.name); left > 0 && way.unknown.empty())
        way.unknown = fmt::format("Postfix's log does not say what became of {} of the messages "
                                  "within a minute: see postqueue -p",
                                  left);
}

void Probes::take_back() const {
    const auto known = story_.queue_ids();
    std::set<std::string> ours(known.begin(), known.end());
    for (const Sent &one : sent_)
        if (!one.in_maildrop.empty()) ours.insert(one.in_maildrop);
    // postsuper(1) misses what qmgr(8) moves meanwhile.
    for (int i = 0; i < most_tries; ++i) {
        std::string ids;
        for (const auto &entry : queue())
            if (const std::string id = entry.value("queue_id", ""); ours.contains(id))
                ids += id + "\n";
        if (ids.empty()) return;
        (void)command("postsuper", {"-d", "-"}, ids);
    }
}

} // namespace

Fate fate_of(const Delivery &delivery, std::string_view lmtp_socket,
             const std::vector<std::string> &filters) {
    static constexpr std::string_view here[] = {"local", "virtual", "discard"},
                                      sending[] = {"smtp", "lmtp", "pipe"};
    const auto is = [&](const auto &names) {
        return std::find(std::begin(names), std::end(names), delivery.program) != std::end(names);
    };
    const bool to_relay =
        delivery.program == "lmtp" && delivery.status != "sent" &&
        (delivery.relay.find(lmtp_socket) != std::string::npos ||
         (delivery.relay == "none" && delivery.reason.find(lmtp_socket) != std::string::npos));
    if (std::any_of(filters.begin(), filters.end(),
                    [&](const std::string &one) { return is_destination(delivery.relay, one); }))
        return Fate::filtered;
    if (is(sending) && !to_relay) return Fate::leak;
    if (is(here) && delivery.status == "sent") return Fate::kept;
    return delivery.status == "deferred" ? Fate::waiting : Fate::bounced;
}

std::vector<WayReport> send_probes(const PostfixView &view, const Addresses &addresses) {
    Probes probes(view);
    std::vector<WayReport> ways;
    for (const Service &service : services_of(view))
        if (const auto endpoint = endpoint_of(view, service))
            ways.push_back(probes.by_smtp(service, *endpoint, addresses));
    ways.push_back(probes.by_program("sendmail", {"<>"}, addresses));
    // Refused by the milter or by transport_maps, and so bounced to each of them.
    ways.push_back(probes.by_program("bounce", addresses, {addresses.front()}));
    probes.wait();
    for (WayReport &way : ways)
        probes.judge(way);
    probes.take_back();
    return ways;
}

} // namespace demail::ctl
