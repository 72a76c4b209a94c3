#include "admin/hints_files.hpp"

#include "admin/guarded_file.hpp"

#include <fmt/format.h>

#include <utility>

namespace demail {

namespace {

std::variant<DomainNames, std::string> read_domains(const std::string &file,
                                                    std::string_view what) {
    auto read = read_guarded_file(file, what, 0022, "go-w", longest_domain_lines);
    if (auto *sentence = std::get_if<std::string>(&read)) return std::move(*sentence);
    auto parsed = parse_domain_lines(std::get<GuardedFile>(read).text);
    if (const auto *sentence = std::get_if<std::string>(&parsed))
        return fmt::format("{} {} cannot be used: {}", what, file, *sentence);
    return parsed;
}

} // namespace

std::variant<DomainNames, std::string> read_watched_domains(const HintsConfiguration &hints) {
    return read_domains(hints.watched, "the list of watched domains");
}

std::variant<DomainNames, std::string> read_hinted_domains(const HintsConfiguration &hints) {
    return read_domains(hints.file, "the list of domains that DNS names as De-Mail");
}

std::vector<ConfigurationFault> check_watched_domains(const Configuration &configuration) {
    if (!configuration.hints) return {};
    auto read = read_watched_domains(*configuration.hints);
    if (auto *sentence = std::get_if<std::string>(&read))
        return {{configuration.hints->watched, 0, 0, std::move(*sentence)}};
    return {};
}

} // namespace demail
