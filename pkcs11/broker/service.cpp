#include "broker/service.hpp"

#include "base/log.hpp"
#include "config.h"

#include <fmt/format.h>
#include <p11-kit/pkcs11.h>

#include <algorithm>
#include <ctime>
#include <type_traits>
#include <utility>

namespace demail::broker {
namespace {

/// For a person who waits at a terminal.
constexpr std::chrono::seconds admin_limit{60};

template <typename Request>
constexpr bool is_person_s =
    std::is_same_v<Request, wire::Unlock> || std::is_same_v<Request, wire::Lock> ||
    std::is_same_v<Request, wire::SetPin> || std::is_same_v<Request, wire::ChangePin> ||
    std::is_same_v<Request, wire::UnblockPin> || std::is_same_v<Request, wire::Probe>;

template <typename Request>
constexpr bool is_viewer_s =
    std::is_same_v<Request, wire::PinStatus> || std::is_same_v<Request, wire::Status>;

/// Where the request says which card; nullptr where it does not.
std::string *serial_in(wire::Request &request) {
    return std::visit(
        [](auto &one) -> std::string * {
            if constexpr (requires { one.serial; }) return &one.serial;
            return nullptr;
        },
        request);
}

const std::string *serial_in(const wire::Request &request) {
    return std::visit(
        [](const auto &one) -> const std::string * {
            if constexpr (requires { one.serial; }) return &one.serial;
            return nullptr;
        },
        request);
}

std::chrono::milliseconds limit_of(const wire::Request &request, std::chrono::seconds longest) {
    std::chrono::milliseconds limit = longest;
    if (const auto *sign = std::get_if<wire::Sign>(&request))
        limit = std::chrono::milliseconds(sign->deadline_ms);
    else if (const auto *decrypt = std::get_if<wire::Decrypt>(&request))
        limit = std::chrono::milliseconds(decrypt->deadline_ms);
    else if (!std::holds_alternative<wire::Login>(request))
        limit = admin_limit;
    return std::min<std::chrono::milliseconds>(limit, longest);
}

} // namespace

Service::Service(const Configuration &configuration, Cards &cards, Catalogue &catalogue,
                 const AuditLog &audit)
    : cards_(cards), catalogue_(catalogue), audit_(audit), started_(std::time(nullptr)) {
    replace(configuration);
}

void Service::replace(const Configuration &configuration) {
    auto fresh = std::make_shared<const Rules>(
        Rules{AccessRules(configuration.allowed), configuration.longest_wait});
    const std::lock_guard lock(mutex_);
    rules_ = std::move(fresh);
}

std::shared_ptr<const Service::Rules> Service::rules() const {
    const std::lock_guard lock(mutex_);
    return rules_;
}

std::string Service::refusal(const Peer &peer) const {
    const auto now = rules();
    if (now->access.may_use_some(peer) || now->access.may_look(peer)) return {};
    return fmt::format("uid {} may not use demail-cardd: neither an [[allow]] of cardd.toml nor "
                       "the groups demail-admin and demail-view let it.",
                       peer.uid);
}

std::optional<wire::Reply> Service::denied(const Peer &peer, const Rules &rules,
                                           const wire::Request &request) {
    const bool person = std::visit(
        [](const auto &one) { return is_person_s<std::decay_t<decltype(one)>>; }, request);
    const bool viewer = std::visit(
        [](const auto &one) { return is_viewer_s<std::decay_t<decltype(one)>>; }, request);
    if (person && !rules.access.may_act(peer))
        return plain_reply(CKR_FUNCTION_REJECTED,
                           "Only root and the group demail-admin may do that.");
    if (viewer && !rules.access.may_look(peer))
        return plain_reply(CKR_FUNCTION_REJECTED,
                           "Only root and the groups demail-admin and demail-view may see that.");
    if (std::holds_alternative<wire::Login>(request) && !rules.access.may_use_some(peer))
        return plain_reply(CKR_FUNCTION_REJECTED,
                           "No [[allow]] of cardd.toml lets this user use a key.");
    const std::string *id = nullptr;
    if (const auto *sign = std::get_if<wire::Sign>(&request)) id = &sign->key;
    if (const auto *decrypt = std::get_if<wire::Decrypt>(&request)) id = &decrypt->key;
    if (id == nullptr) return std::nullopt;
    const std::string *serial = serial_in(request);
    const auto route = catalogue_.route(*serial, *id);
    if (!route) return plain_reply(CKR_TOKEN_NOT_PRESENT, "There is no such card.");
    if (!route->key_label) return plain_reply(CKR_KEY_HANDLE_INVALID, "The card has no such key.");
    const auto rate = rules.access.may_use(peer, *route->key_label);
    if (!rate) {
        log::event(log::Level::warning, "refused",
                   {{"card", *serial},
                    {"key", *route->key_label},
                    {"uid", std::to_string(peer.uid)},
                    {"reason", "no [[allow]] lets it"}});
        return plain_reply(CKR_KEY_FUNCTION_NOT_PERMITTED,
                           fmt::format("No [[allow]] of cardd.toml lets uid {} use {}.", peer.uid,
                                       *route->key_label));
    }
    if (!rate_.take(peer.uid, *route->key_label, *rate, Clock::now())) {
        log::event(log::Level::warning, "refused",
                   {{"card", *serial},
                    {"key", *route->key_label},
                    {"uid", std::to_string(peer.uid)},
                    {"reason", "per_minute"}});
        return plain_reply(CKR_FUNCTION_REJECTED,
                           fmt::format("uid {} has used {} {} times within a minute (per_minute).",
                                       peer.uid, *route->key_label, *rate));
    }
    return std::nullopt;
}

wire::Reply Service::tokens() const {
    wire::TokenList list;
    list.generation = catalogue_.generation(); // before: an older one makes the client ask again
    for (CatalogueEntry &entry : catalogue_.all())
        if (list.tokens.size() < wire::limit::tokens)
            list.tokens.push_back(std::move(entry.status.token));
    return {0, CKR_OK, "", std::move(list)};
}

wire::Reply Service::objects(const Peer &peer, const Rules &rules,
                             const std::string &serial) const {
    wire::ObjectList list;
    list.generation = catalogue_.generation();
    auto entry = catalogue_.find(serial);
    if (!entry) return plain_reply(CKR_TOKEN_NOT_PRESENT, "There is no such card.");
    const bool looks = rules.access.may_look(peer);
    for (wire::Key &key : entry->keys)
        if (list.keys.size() < wire::limit::keys &&
            (looks || rules.access.may_use(peer, key.label)))
            list.keys.push_back(std::move(key));
    // Keys come first; a certificate that has no room is not told.
    std::size_t room = wire::limit::reply - 8192 - list.keys.size() * 512;
    for (wire::Certificate &certificate : entry->certificates) {
        const std::size_t size = certificate.der.size() + 256;
        if (certificate.der.size() > wire::limit::certificate || size > room ||
            list.certificates.size() == wire::limit::certificates)
            continue;
        room -= size;
        list.certificates.push_back(std::move(certificate));
    }
    return {0, CKR_OK, "", std::move(list)};
}

wire::Reply Service::status() const {
    wire::StatusReport report;
    report.program_version = PACKAGE_VERSION;
    report.started = started_;
    report.generation = catalogue_.generation();
    const AuditHead head = audit_.head();
    report.audit_lines = head.lines;
    report.audit_head = std::string(view(head.hash));
    for (CatalogueEntry &entry : catalogue_.all())
        if (report.tokens.size() < wire::limit::tokens)
            report.tokens.push_back(std::move(entry.status));
    return {0, CKR_OK, "", std::move(report)};
}

std::variant<std::string, wire::Reply> Service::the_serial(const std::string &wanted) const {
    if (!wanted.empty()) {
        // Its end is enough for a person.
        std::vector<std::string> fitting;
        for (const CatalogueEntry &entry : catalogue_.all())
            if (entry.status.token.serial.ends_with(wanted))
                fitting.push_back(entry.status.token.serial);
        if (fitting.size() == 1) return fitting.front();
        return plain_reply(fitting.empty() ? CKR_TOKEN_NOT_PRESENT : CKR_ARGUMENTS_BAD,
                           fitting.empty() ? "There is no such card."
                                           : "More than one card's number ends so.");
    }
    std::vector<std::string> present;
    std::string known;
    for (const CatalogueEntry &entry : catalogue_.all())
        if (entry.status.token.present) {
            present.push_back(entry.status.token.serial);
            known += (known.empty() ? "" : ", ") + entry.status.token.serial;
        }
    if (present.size() == 1) return present.front();
    if (present.empty())
        return plain_reply(CKR_TOKEN_NOT_PRESENT, "There is no card that can be used.");
    return plain_reply(CKR_ARGUMENTS_BAD,
                       fmt::format("There are several cards, say which one: {}.", known));
}

std::variant<std::vector<std::shared_ptr<Desk>>, wire::Reply>
Service::desks_for(wire::Request &request) const {
    std::vector<std::shared_ptr<Desk>> desks;
    if (const auto *probe = std::get_if<wire::Probe>(&request)) {
        for (const Cards::Place &place : cards_.places())
            if (probe->reader.empty() ? place.card : probe->reader == place.reader)
                desks.push_back(place.desk);
        if (desks.size() == 1) return desks;
        std::string known;
        for (const Cards::Place &place : cards_.places())
            known += (known.empty() ? "\"" : ", \"") + place.reader + "\"";
        return plain_reply(CKR_ARGUMENTS_BAD, known.empty() ? "There is no reader."
                                                            : "Say which reader: " + known + ".");
    }
    std::string *serial = serial_in(request);
    if (serial == nullptr) return plain_reply(CKR_FUNCTION_NOT_SUPPORTED, "No such request.");
    if (std::holds_alternative<wire::Lock>(request) && serial->empty()) {
        for (const Cards::Place &place : cards_.places())
            desks.push_back(place.desk);
        if (desks.empty())
            return plain_reply(CKR_OK, "There is no reader, and so nothing to lock.");
        return desks;
    }
    const bool person = std::visit(
        [](const auto &one) {
            using Request = std::decay_t<decltype(one)>;
            return is_person_s<Request> || is_viewer_s<Request>;
        },
        request);
    if (person) {
        auto found = the_serial(*serial);
        if (auto *reply = std::get_if<wire::Reply>(&found)) return std::move(*reply);
        *serial = std::get<std::string>(std::move(found));
    }
    const auto route = catalogue_.route(*serial, {});
    if (!route) return plain_reply(CKR_TOKEN_NOT_PRESENT, "There is no such card.");
    desks.push_back(route->desk);
    return desks;
}

std::shared_ptr<Desk> Service::desk_for(const Job &job) const {
    const std::string *serial = serial_in(job.request);
    const auto route = serial == nullptr ? std::nullopt : catalogue_.route(*serial, {});
    return route ? route->desk : nullptr;
}

Beginning Service::begin(const Peer &peer, wire::Request request,
                         const std::shared_ptr<const Fd> &bell) {
    const auto now = rules();
    if (auto reply = denied(peer, *now, request)) return std::move(*reply);
    if (std::holds_alternative<wire::ListTokens>(request)) return tokens();
    if (const auto *list = std::get_if<wire::ListObjects>(&request))
        return objects(peer, *now, list->serial);
    if (std::holds_alternative<wire::Status>(request)) return status();
    if (std::holds_alternative<wire::Logout>(request)) return plain_reply(CKR_OK, "");
    if (std::holds_alternative<wire::Hello>(request))
        return plain_reply(CKR_FUNCTION_REJECTED, "Hello is said once.");
    if (const auto *wait = std::get_if<wire::WaitForChange>(&request))
        return Waiting{wait->generation,
                       Clock::now() + std::chrono::milliseconds(
                                          std::min<std::uint32_t>(wait->timeout_ms, 60000))};
    auto desks = desks_for(request);
    if (auto *reply = std::get_if<wire::Reply>(&desks)) return std::move(*reply);
    const auto deadline = Clock::now() + limit_of(request, now->longest_wait);
    std::vector<Errand> errands;
    auto &list = std::get<std::vector<std::shared_ptr<Desk>>>(desks);
    for (std::shared_ptr<Desk> &desk : list) {
        // Only a lock goes to several, and it can be copied.
        wire::Request one = list.size() == 1 ? std::move(request) : wire::Request(wire::Lock{});
        errands.push_back(
            {std::make_shared<Job>(peer, std::move(one), deadline, bell), std::move(desk)});
    }
    return errands;
}

} // namespace demail::broker
