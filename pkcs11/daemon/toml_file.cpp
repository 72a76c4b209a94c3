#include "daemon/toml_file.hpp"

#include "base/file.hpp"
#include "base/log.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <optional>
#include <system_error>

namespace demail {
namespace {

constexpr std::size_t largest_file = 4UL << 20;
constexpr const char *too_large = "the file is larger than 4 MiB.";

TomlFindings unreadable(const std::string &file, const std::string &why) {
    return {{{file, 0, 0, why}}, {}};
}

} // namespace

TomlFindings parse_toml(std::string_view text, const std::string &file, const TomlReader &read) {
    if (text.size() > largest_file) return unreadable(file, too_large);
    FaultList faults(file);
    try {
        const toml::table root = toml::parse(text, file);
        read(faults, root);
    } catch (const toml::parse_error &error) {
        faults.fault(error.source().begin, log::escaped(error.description()));
    }
    return {faults.take_faults(), faults.take_warnings()};
}

TomlFindings read_toml(const std::string &file, const TomlReader &read) {
    try {
        if (const auto text = read_file(file, largest_file)) return parse_toml(*text, file, read);
        return unreadable(file, "there is no such file.");
    } catch (const std::system_error &error) {
        switch (error.code().value()) {
        case EFBIG:
            return unreadable(file, too_large);
        case EINVAL:
            return unreadable(file, "this is no regular file.");
        default:
            return unreadable(file,
                              fmt::format("the file cannot be read: {}.", error.code().message()));
        }
    }
}

} // namespace demail
