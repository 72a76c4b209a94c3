#include "admin/seal_key_file.hpp"

#include "base/file.hpp"

#include <fmt/format.h>

#include <system_error>
#include <utility>

namespace demail {

std::variant<SealKeys, std::string> read_seal_keys(const std::string &file) {
    constexpr std::size_t limit = 65536;
    try {
        const auto text = read_file(file, limit);
        if (!text) return fmt::format("the seal key file {} does not exist", file);
        auto keys = SealKeys::parse(*text);
        if (const auto *fault = std::get_if<std::string>(&keys))
            return fmt::format("the seal key file {}: {}", file, *fault);
        return keys;
    } catch (const std::system_error &error) {
        return fmt::format("the seal key file {} cannot be read: {}", file, error.code().message());
    }
}

} // namespace demail
