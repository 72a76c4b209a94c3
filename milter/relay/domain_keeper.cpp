#include "relay/domain_keeper.hpp"

#include "admin/hints_files.hpp"
#include "base/log.hpp"
#include "message/address.hpp"

#include <algorithm>
#include <ctime>
#include <stdexcept>

namespace demail::relay {

namespace {

/// After a failure: soon enough for an administrator who has just mended something, seldom enough
/// for a provider in trouble.
constexpr std::chrono::seconds retry_pause{60};
/// Between two looks at the file of hints.
constexpr std::chrono::seconds hints_pause{30};
/// Refused names that are logged one by one, and that are shown: a list may hold very many.
constexpr std::size_t most_logged = 20, most_shown = 100;

std::string why(const soap::Answer<soap::Domains> &answer) {
    if (const auto *fault = std::get_if<soap::Fault>(&answer))
        return "it says " + fault->code + ".";
    if (const auto *not_sent = std::get_if<soap::NotSent>(&answer)) return not_sent->why;
    if (const auto *no_answer = std::get_if<soap::NoAnswer>(&answer)) return no_answer->why;
    return std::get<soap::TokenFault>(answer).why;
}

std::string today() {
    return day_of(static_cast<std::int64_t>(std::time(nullptr)));
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
    if (const auto why = ended(domain)) throw std::invalid_argument(*why);
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
    if (const auto why = ended(domain)) throw std::invalid_argument(*why);
    {
        const std::lock_guard lock(mutex_);
        if (status_.hinted.contains(domain))
            throw std::invalid_argument(domain + " is named as De-Mail by DNS: take it from the "
                                                 "file of [hints] watched first");
        forget_.insert(domain);
    }
    refresh();
}

/// A sentence where the lists of ended providers have the domain: they win.
std::optional<std::string> DomainKeeper::ended(const std::string &domain) const {
    const auto settings = service_.settings();
    const EndedProvider *provider = settings->ended.find(domain, today());
    if (provider == nullptr) return std::nullopt;
    return domain + " is in the list of ended providers (" + provider->name + ", " +
           provider->date + "); still_active in the file of [policy] ended_providers takes it out";
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
        if (!status().alarm.empty()) pause = std::min(pause, retry_pause);
        if (!rest(pause)) return;
    }
}

/// Until the providers are to be asked again, with an eye on the hints. False when the relay is to
/// end.
bool DomainKeeper::rest(std::chrono::seconds time) {
    const auto until = std::chrono::steady_clock::now() + time;
    while (true) {
        {
            std::unique_lock lock(mutex_);
            wake_.wait_until(lock, std::min(until, std::chrono::steady_clock::now() + hints_pause),
                             [this] { return ending_ || asked_; });
            if (ending_) return false;
            if (asked_ || std::chrono::steady_clock::now() >= until) return true;
        }
        const auto settings = service_.settings();
        const auto &wish = settings->configuration->hints;
        if (wish && FileStamp::of(wish->file) != hints_stamp_) see_to_hints(*settings);
    }
}

/// Those of the run before stand until their file has been read.
void DomainKeeper::begin_with_hints(const Settings &settings) {
    const Configuration &configuration = *settings.configuration;
    if (!configuration.hints) {
        hints_.reset();
        hints_stamp_.reset();
        const std::lock_guard lock(mutex_);
        status_.hints_alarm.clear();
    } else if (!hints_) {
        const DomainFiles files(configuration.domains, configuration.postfix_configuration);
        const DomainSet list = files.current();
        hints_.emplace();
        for (const auto &[domain, state] : list.all())
            if (state == DomainState::hinted) hints_->insert(domain);
    }
}

void DomainKeeper::read_hints(const Settings &settings) {
    const HintsConfiguration &wish = *settings.configuration->hints;
    // What changes while it is read is read again: the stamp was taken first.
    const FileStamp seen = FileStamp::of(wish.file);
    auto read = read_hinted_domains(wish);
    if (const auto *sentence = std::get_if<std::string>(&read)) throw std::runtime_error(*sentence);
    HintChange change = take_hints(std::get<Domains>(read), questions(settings));
    for (const std::string &refused : change.refused)
        log::event(log::Level::warning, "domains", {{"hint_refused", refused}});
    hints_ = std::move(change.taken);
    hints_stamp_ = seen;
}

/// Where that fails the hints from before stay, and it is tried again soon.
void DomainKeeper::see_to_hints(const Settings &settings) {
    const Configuration &configuration = *settings.configuration;
    std::string fault;
    try {
        read_hints(settings);
        const DomainFiles files(configuration.domains, configuration.postfix_configuration);
        publish(settings, files.memory());
    } catch (const std::exception &error) {
        hints_stamp_.reset();
        fault = std::string("the hints from DNS stay as they were: ") + error.what();
    }
    const std::lock_guard lock(mutex_);
    if (!fault.empty() && fault != status_.hints_alarm)
        log::event(log::Level::error, "domains", {{"alarm", fault}});
    status_.hints_alarm = std::move(fault);
}

/// The list in force, to the relay and to the files.
void DomainKeeper::publish(const Settings &settings, const DomainMemory &memory) {
    const Configuration &configuration = *settings.configuration;
    const DomainSet list = list_from(memory, settings.ended, today(), hints_.value_or(Domains()));
    service_.replace_domains(std::make_shared<const DomainSet>(list));
    DomainFiles(configuration.domains, configuration.postfix_configuration).publish(list, [&] {
        return wait(configuration.domains_settle);
    });
    const std::lock_guard lock(mutex_);
    status_.hinted = hints_.value_or(Domains());
    status_.waiting = memory.waiting();
    status_.active = status_.ended = 0;
    for (const auto &[domain, state] : list.all())
        if (state != DomainState::hinted)
            ++(state == DomainState::active ? status_.active : status_.ended);
}

void DomainKeeper::work() {
    const auto settings = service_.settings();
    const auto &configuration = settings->configuration;
    const DomainFiles files(configuration->domains, configuration->postfix_configuration);
    DomainMemory memory = files.memory();
    begin_with_hints(*settings);
    publish(*settings, memory); // what is known stands before anybody is asked
    if (configuration->hints) see_to_hints(*settings);

    const std::string before = memory.str();
    Domains accepted, forgotten;
    {
        const std::lock_guard lock(mutex_);
        accepted.swap(accept_);
        forgotten.swap(forget_);
    }
    for (const std::string &domain : accepted) {
        memory.accepted.insert(domain);
        // Asked for anew in full: an unchanged list would not bring the domain that was left out of
        // it.
        for (auto &[provider, listed] : memory.providers) {
            listed.version.clear();
            listed.waiting.erase(domain);
        }
    }
    for (const std::string &domain : forgotten) {
        memory.ended.erase(domain);
        memory.accepted.erase(domain);
    }
    ask_providers(memory);
    if (memory.str() != before) files.remember(memory);
    publish(*settings, memory);
}

void DomainKeeper::ask_providers(DomainMemory &memory) {
    const auto settings = service_.settings();
    Domains asked;
    std::optional<DomainQuestions> world;
    for (const auto &[name, account] : settings->accounts) {
        const std::string &provider = account->provider();
        if (!asked.insert(provider).second || account->suspended()) continue;
        auto wire = account->wire();
        if (const auto *fault = std::get_if<soap::TokenFault>(&wire)) {
            alarm("provider " + provider + ": " + fault->why);
            continue;
        }
        const auto known = memory.providers.find(provider);
        // The first time in full: what was refused is told again, and by the rules of today.
        std::optional<std::string> version;
        if (refused_.contains(provider) && known != memory.providers.end() &&
            !known->second.version.empty())
            version = known->second.version;
        auto answer = std::get<std::shared_ptr<soap::Provider>>(wire)->get_domains(version);
        const auto *domains = std::get_if<soap::Domains>(&answer);
        if (domains == nullptr) {
            alarm("provider " + provider +
                  " did not send its De-Mail domains; the old list stays: " + why(answer));
            continue;
        }
        {
            const std::lock_guard lock(mutex_);
            status_.refreshed = static_cast<std::int64_t>(std::time(nullptr));
        }
        if (domains->unchanged && version) continue;
        if (!world) world = questions(*settings);
        DomainChange change =
            take_list(memory, provider, domains->version, domains->domains, *world);
        tell_of_refused(provider, std::move(change.refused));
        if (!change.taken) alarm("provider " + provider + ": " + change.alarm);
    }
}

bool DomainKeeper::ending() const {
    const std::lock_guard lock(mutex_);
    return ending_;
}

/// Each question may take seconds, and the relay does not wait for all of them when it ends.
DomainQuestions DomainKeeper::questions(const Settings &settings) {
    DomainQuestions world =
        questions_to_the_world(*settings.configuration, settings.senders->now());
    return {[this, own = std::move(world.own)](const std::string &domain) {
                if (ending()) throw std::runtime_error("the relay ends");
                return own(domain);
            },
            [this, hint = std::move(world.srv_hint)](const std::string &domain) {
                return !ending() && hint(domain);
            }};
}

void DomainKeeper::tell_of_refused(const std::string &provider, std::vector<std::string> refused) {
    for (std::size_t i = 0; i < std::min(refused.size(), most_logged); ++i)
        log::event(log::Level::warning, "domains",
                   {{"provider", provider}, {"refused", refused[i]}});
    if (refused.size() > most_logged)
        log::event(log::Level::warning, "domains",
                   {{"provider", provider},
                    {"more_refused", std::to_string(refused.size() - most_logged)}});
    if (refused.size() > most_shown) {
        const std::size_t more = refused.size() - most_shown;
        refused.resize(most_shown);
        refused.push_back("…: and " + std::to_string(more) + " more");
    }
    refused_[provider] = std::move(refused);
    const std::lock_guard lock(mutex_);
    status_.refused.clear();
    for (const auto &[name, ones] : refused_)
        status_.refused.insert(status_.refused.end(), ones.begin(), ones.end());
}

} // namespace demail::relay
