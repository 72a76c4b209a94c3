// A PIN on its way from a person into locked memory: from the terminal without echo, or a line of a
// file descriptor. Never from the command line or the environment, never through stdio's buffers.
#pragma once

#include "base/secret.hpp"

#include <optional>
#include <string>
#include <variant>

namespace demail::ctl {

/// No core file of this process, no debugger of the same user. Call before a PIN is read.
void guard_process();

class PinEntry {
  public:
    /// `fd`: --pin-fd; nullopt: the terminal.
    explicit PinEntry(std::optional<int> fd) : fd_(fd) {}

    /// The next PIN; the text is why there is none. From a terminal it is asked for by `prompt`,
    /// twice where it is `fresh`.
    [[nodiscard]] std::variant<Secret, std::string> next(const std::string &prompt,
                                                         bool fresh = false);
    /// A person answers here.
    [[nodiscard]] bool asks() const noexcept { return !fd_; }

  private:
    std::optional<int> fd_;
};

} // namespace demail::ctl
