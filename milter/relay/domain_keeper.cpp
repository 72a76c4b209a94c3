#include "relay/domain_keeper.hpp"

#include "base/log.hpp"
#include "message/address.hpp"

#include <ctime>
#include <stdexcept>

namespace demail::relay {

namespace {

/// After a failure: soon enough for an administrator who has just mended something, seldom enough
/// for a provider in trouble.
constexpr std::chrono::seconds retry_pause{60};

DomainSet list_from(const DomainMemory &memory) {
    DomainSet list;
    for (const std::string &domain : memory.ended)
        list.set(domain, DomainState::ended);
    for (const auto &[provider, listed] : memory.providers)
        for (const std::string &domain : listed.domains)
            list.set(domain, DomainState::active);
    return list;
}

std::string name_of(const std::string &text) {
    const auto domain = normal_domain(text);
    if (!domain) throw std::invalid_argument("\"" + text + "\" is not a domain name");
    return *domain;
}

} // namespace

DomainKeeper::DomainKeeper(Service &service) : service_(service), thread_([this] { run(); }) {}

DomainKeeper::~DomainKeeper() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    wake_.notify_all();
    thread_.join();
}

void DomainKeeper::refresh() {
    {
        const std::lock_guard lock(mutex_);
        asked_ = true;
    }
    wake_.notify_all();
}

void DomainKeeper::accept(const std::string &text) {
    const std::string domain = name_of(text);
    if (const auto why = never_accepted(domain))
        throw std::invalid_argument(domain + " cannot be a De-Mail domain: it is " + *why);
    {
        const std::lock_guard lock(mutex_);
        accept_.insert(domain);
    }
    refresh();
}

void DomainKeeper::forget(const std::string &text) {
    const std::string domain = name_of(text);
    if (below_de_mail(domain))
        throw std::invalid_argument(domain + " is always De-Mail and cannot be forgotten");
    {
        const std::lock_guard lock(mutex_);
        forget_.insert(domain);
    }
    refresh();
}

DomainStatus DomainKeeper::status() const {
    const std::lock_guard lock(mutex_);
    return status_;
}

/// False when the relay is to end.
bool DomainKeeper::wait(std::chrono::seconds time) {
    std::unique_lock lock(mutex_);
    return !wake_.wait_for(lock, time, [this] { return ending_; });
}

void DomainKeeper::alarm(const std::string &sentence) {
    log::event(log::Level::error, "domains", {{"alarm", sentence}});
    const std::lock_guard lock(mutex_);
    if (!status_.alarm.empty()) status_.alarm += "; ";
    status_.alarm += sentence;
}

void DomainKeeper::run() {
    while (true) {
        std::chrono::seconds pause = service_.settings()->configuration->domains_refresh;
        {
            const std::lock_guard lock(mutex_);
            asked_ = false;
            status_.alarm.clear();
        }
        try {
            work();
        } catch (const std::exception &error) {
            alarm(error.what());
        }
        std::unique_lock lock(mutex_);
        if (!status_.alarm.empty()) pause = std::min(pause, retry_pause);
        wake_.wait_for(lock, pause, [this] { return ending_ || asked_; });
        if (ending_) return;
    }
}

void DomainKeeper::work() {
    const auto configuration = service_.settings()->configuration;
    DomainFiles files(configuration->domains, configuration->postfix_configuration);
    const auto pause = [&] { return wait(configuration->domains_settle); };
    DomainMemory memory = files.memory();
    service_.replace_domains(std::make_shared<const DomainSet>(list_from(memory)));
    files.publish(list_from(memory), pause); // what is known stands before anybody is asked

    const std::string before = memory.str();
    Domains accepted, forgotten;
    {
        const std::lock_guard lock(mutex_);
        accepted.swap(accept_);
        forgotten.swap(forget_);
    }
    for (const std::string &domain : accepted) {
        memory.accepted.insert(domain);
        memory.waiting.erase(domain);
        // Asked for anew in full: an unchanged list would not bring the domain that was left out of
        // it.
        for (auto &[provider, listed] : memory.providers)
            listed.version.clear();
    }
    for (const std::string &domain : forgotten) {
        memory.ended.erase(domain);
        memory.accepted.erase(domain);
        memory.waiting.erase(domain);
    }
    ask_providers(memory);
    if (memory.str() != before) files.remember(memory);
    const DomainSet next = list_from(memory);
    service_.replace_domains(std::make_shared<const DomainSet>(next));
    files.publish(next, pause);

    const std::lock_guard lock(mutex_);
    status_.waiting = memory.waiting;
    status_.active = status_.ended = 0;
    for (const auto &[domain, state] : next.all())
        ++(state == DomainState::active ? status_.active : status_.ended);
}

void DomainKeeper::ask_providers(DomainMemory &memory) {
    const auto settings = service_.settings();
    Domains asked;
    std::optional<DomainQuestions> questions;
    for (const auto &[name, account] : settings->accounts) {
        const std::string &provider = account->provider();
        if (!asked.insert(provider).second || account->suspended()) continue;
        auto wire = account->wire();
        if (const auto *fault = std::get_if<soap::TokenFault>(&wire)) {
            alarm("provider " + provider + ": " + fault->why);
            continue;
        }
        const auto known = memory.providers.find(provider);
        std::optional<std::string> version;
        if (known != memory.providers.end() && !known->second.version.empty())
            version = known->second.version;
        auto answer = std::get<std::shared_ptr<soap::Provider>>(wire)->get_domains(version);
        const auto *domains = std::get_if<soap::Domains>(&answer);
        if (domains == nullptr) {
            alarm("provider " + provider + " did not send its De-Mail domains; the old list stays");
            continue;
        }
        {
            const std::lock_guard lock(mutex_);
            status_.refreshed = static_cast<std::int64_t>(std::time(nullptr));
        }
        if (domains->unchanged && version) continue;
        if (!questions) questions = questions_to_the_world(*settings->configuration);
        const DomainChange change =
            take_list(memory, provider, domains->version, domains->domains, *questions);
        for (const std::string &one : change.refused)
            log::event(log::Level::warning, "domains", {{"provider", provider}, {"refused", one}});
        if (!change.taken) alarm("provider " + provider + ": " + change.alarm);
    }
}

} // namespace demail::relay
