#include "broker/cards.hpp"

#include "base/log.hpp"
#include "broker/module_driver.hpp"
#include "broker/tcos_driver.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>
#include <utility>

namespace demail::broker {
namespace {

/// pcscd itself has 16.
constexpr std::size_t most_readers = 64;

/// No reader is called so: a path stands in front.
std::string name_of(const TokenRule &rule) {
    return rule.module + "|" + rule.reader + "|" + rule.serial;
}

} // namespace

Cards::Cards(const Configuration &configuration, Shared shared)
    : shared_(shared), rules_(configuration.tokens) {
    add_modules();
    watch_ = std::make_unique<ReaderWatch>(
        [this](const ReaderWatch &watch, const std::vector<std::string> &names) {
            readers_changed(watch, names);
        });
}

Cards::~Cards() {
    {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
    }
    std::map<std::string, std::unique_ptr<CardThread>> ending;
    {
        const std::lock_guard lock(mutex_);
        ending.swap(threads_);
    }
    ending.clear(); // before the watch, which their drivers look at
    watch_.reset();
}

std::vector<TokenRule> Cards::rules_for(const std::string &reader) const {
    std::vector<TokenRule> fitting;
    std::copy_if(rules_.begin(), rules_.end(), std::back_inserter(fitting),
                 [&](const TokenRule &rule) {
                     return rule.back_end == BackEnd::tcos && rule.fits_reader(reader);
                 });
    return fitting;
}

std::vector<TokenRule> Cards::rules_at(const std::string &place) const {
    std::vector<TokenRule> fitting;
    std::copy_if(rules_.begin(), rules_.end(), std::back_inserter(fitting),
                 [&](const TokenRule &rule) {
                     return rule.back_end == BackEnd::module && name_of(rule) == place;
                 });
    return fitting.empty() ? rules_for(place) : fitting;
}

void Cards::add_modules() {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    for (const TokenRule &rule : rules_)
        if (rule.back_end == BackEnd::module && !threads_.contains(name_of(rule)))
            threads_.emplace(name_of(rule),
                             std::make_unique<CardThread>(std::make_unique<ModuleDriver>(rule),
                                                          std::vector{rule}, shared_));
}

void Cards::readers_changed(const ReaderWatch &watch, const std::vector<std::string> &names) {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    names_ = names;
    seen_ = true;
    for (const std::string &name : names) {
        auto rules = rules_for(name);
        if (rules.empty() || threads_.contains(name)) continue;
        if (threads_.size() >= most_readers) {
            log::say(log::Level::error, fmt::format("Reader {} is one too many.", name));
            continue;
        }
        threads_.emplace(name,
                         std::make_unique<CardThread>(std::make_unique<TcosDriver>(watch, name),
                                                      std::move(rules), shared_));
    }
    for (const auto &[name, thread] : threads_)
        thread->wake();
}

void Cards::replace(const Configuration &configuration) {
    std::vector<std::string> names;
    {
        const std::lock_guard lock(mutex_);
        rules_ = configuration.tokens;
        for (const auto &[name, thread] : threads_)
            thread->replace_rules(rules_at(name));
        names = names_;
    }
    add_modules();
    readers_changed(*watch_, names);
}

bool Cards::stop(std::chrono::milliseconds grace) {
    const auto end = Clock::now() + grace;
    std::vector<const CardThread *> all;
    {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
        for (const auto &[name, thread] : threads_) {
            thread->stop();
            all.push_back(thread.get());
        }
    }
    const auto ended = [](const CardThread *thread) { return thread->ended(); };
    while (!std::all_of(all.begin(), all.end(), ended)) {
        if (Clock::now() >= end) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
}

bool Cards::settled() const {
    const std::lock_guard lock(mutex_);
    return seen_ && std::all_of(threads_.begin(), threads_.end(),
                                [](const auto &one) { return one.second->settled(); });
}

std::vector<Cards::Place> Cards::places() const {
    const std::lock_guard lock(mutex_);
    std::vector<Place> list;
    for (const auto &[name, thread] : threads_)
        list.push_back({name, thread->has_card(), thread->desk()});
    return list;
}

} // namespace demail::broker
