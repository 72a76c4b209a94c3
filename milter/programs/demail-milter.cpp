// demail-milter: spots De-Mails among Postfix's mail, authorises, cleans and seals them.
#include "admin/configuration.hpp"
#include "admin/daemon.hpp"
#include "base/log.hpp"
#include "filter/listener.hpp"
#include "filter/settings.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <exception>
#include <stdexcept>

namespace {

using namespace demail;

class LogSink final : public filter::EventSink {
  public:
    void event(log::Level level, std::string_view name,
               std::initializer_list<log::Field> fields) override {
        log::event(level, name, fields);
    }
};

std::int64_t unix_time() {
    return std::chrono::duration_cast<std::chrono::seconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

/// Throws std::runtime_error with all that is wrong; the settings in force stay.
void reload(const DaemonOptions &options, filter::CurrentSettings &current) {
    auto result = read_configuration(options.config_file);
    std::vector<ConfigurationFault> faults;
    if (auto *found = std::get_if<std::vector<ConfigurationFault>>(&result))
        faults = std::move(*found);
    else
        faults = check_files(std::get<Configuration>(result), options.config_file, false);
    std::string sentences;
    for (const ConfigurationFault &fault : faults)
        sentences += (sentences.empty() ? "" : "; ") + fault.str();
    if (!faults.empty()) throw std::runtime_error(sentences);
    const auto &configuration = std::get<Configuration>(result);
    auto settings = filter::make_settings(configuration, current.get().get());
    if (const auto *fault = std::get_if<std::string>(&settings)) throw std::runtime_error(*fault);
    current.set(std::move(std::get<0>(settings)));
    if (configuration.milter_socket != options.configuration->milter_socket)
        log::say(log::Level::warning, "The new [milter] socket is used after a restart.");
    log::say(log::Level::info, "The configuration has been read again.");
}

int run(int argc, char **argv) {
    DaemonOptions options;
    if (const auto code = start_daemon(
            argc, argv, "demail-milter",
            "Authorises, cleans and seals the De-Mails among Postfix's mail", false, options))
        return *code;
    auto first = filter::make_settings(*options.configuration, nullptr);
    if (const auto *fault = std::get_if<std::string>(&first)) {
        log::say(log::Level::error, *fault);
        return exit_configuration;
    }
    filter::CurrentSettings current(std::move(std::get<0>(first)));
    LogSink sink;
    const filter::Surroundings around{current, sink, unix_time};
    block_signals();
    filter::Listener listener(options.configuration->milter_socket, around);
    if (const auto reason = listener.start()) {
        log::say(log::Level::error, *reason);
        return exit_unavailable;
    }
    notify_status(fmt::format("listening at {}{}", options.configuration->milter_socket,
                              options.configuration->observe ? ", observing only" : ""));
    serve_signals({[&] { reload(options, current); }}, [&] { return listener.running(); });
    return listener.stop() ? exit_good : exit_unavailable;
}

} // namespace

int main(int argc, char **argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception &error) {
        std::fprintf(stderr, "demail-milter: %s\n", error.what());
        return demail::exit_unavailable;
    }
}
