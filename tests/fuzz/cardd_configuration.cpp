// /etc/demail/cardd.toml: what is taken holds together, what is not is said in whole sentences.
#include "broker/configuration.hpp"
#include "fuzz.hpp"

#include <algorithm>
#include <string>

namespace demail::fuzz {
namespace {

bool one_line(std::string_view text) {
    return !text.empty() && std::none_of(text.begin(), text.end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    });
}

void is_a_sentence(const ConfigurationFault &fault) {
    HOLDS(one_line(fault.sentence) && one_line(fault.str()));
    HOLDS(fault.sentence.size() < 1000);
    HOLDS(fault.file == "cardd.toml");
}

bool absolute(const std::string &path) {
    return path.size() > 1 && path.front() == '/' && one_line(path);
}

void holds_together(const broker::Configuration &configuration) {
    HOLDS(absolute(configuration.socket) && configuration.socket.size() <= 107);
    HOLDS(absolute(configuration.state));
    HOLDS(configuration.longest_wait.count() > 0);
    HOLDS(!configuration.tokens.empty() && !configuration.allowed.empty());
    for (const broker::TokenRule &rule : configuration.tokens) {
        HOLDS((rule.back_end == broker::BackEnd::module) == !rule.module.empty());
        HOLDS(rule.module.empty() || absolute(rule.module));
        HOLDS(rule.reserve_tries >= 1);
        HOLDS(rule.idle.count() >= 0 && rule.call_limit.count() > 0);
        // A PIN that nobody enters goes to one card in one reader.
        if (rule.pin_file.empty()) continue;
        HOLDS(absolute(rule.pin_file) && !rule.serial.empty() && !rule.reader.empty());
        HOLDS(rule.fits_reader(rule.reader) && rule.fits_serial(rule.serial));
        HOLDS(!rule.fits_reader(rule.reader + " 00") && !rule.fits_reader("x" + rule.reader));
        HOLDS(!rule.fits_serial(rule.serial + "0"));
    }
    for (const broker::AllowRule &rule : configuration.allowed) {
        HOLDS(!rule.key.empty());
        HOLDS(rule.user.empty() != rule.group.empty());
    }
}

} // namespace

void cardd_configuration(std::string_view text) {
    const auto got = broker::parse_configuration(text, "cardd.toml");
    if (const auto *configuration = std::get_if<broker::Configuration>(&got)) {
        holds_together(*configuration);
        for (const ConfigurationFault &warning : configuration->warnings)
            is_a_sentence(warning);
        return;
    }
    const auto &faults = std::get<std::vector<ConfigurationFault>>(got);
    HOLDS(!faults.empty());
    for (const ConfigurationFault &fault : faults)
        is_a_sentence(fault);
}

} // namespace demail::fuzz
