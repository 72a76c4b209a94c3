#include "wire/message.hpp"

namespace demail::wire {

bool carries_secret(const Request &request) noexcept {
    if (const auto *login = std::get_if<Login>(&request)) return login->pin.has_value();
    return std::holds_alternative<Unlock>(request) || std::holds_alternative<SetPin>(request) ||
           std::holds_alternative<ChangePin>(request) ||
           std::holds_alternative<UnblockPin>(request);
}

} // namespace demail::wire
