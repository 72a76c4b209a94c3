// A message on its way through: a file without a name, so that nothing is left whatever ends the
// relay. It is not what keeps a letter: Postfix has it until our 250.
#pragma once

#include "base/handle.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace demail::relay {

/// Belongs to one thread at a time.
class SpoolFile {
  public:
    /// O_TMPFILE in `directory`, 0600. Throws std::system_error that names the directory.
    explicit SpoolFile(const std::string &directory);

    /// Appends through a buffer. A full disk is remembered, not thrown: see failed().
    void append(std::string_view bytes) noexcept;
    /// Writes the buffer out; false when any write has failed.
    [[nodiscard]] bool complete() noexcept;

    [[nodiscard]] int fd() const noexcept { return fd_.get(); }
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

  private:
    void write_out(std::string_view bytes) noexcept;

    Fd fd_;
    std::string buffer_;
    std::uint64_t size_ = 0;
    bool failed_ = false;
};

} // namespace demail::relay
