// A message on its way through: a file without a name, so that nothing is left whatever ends the
// relay, until the evidence gives it one. It is not what keeps a letter: Postfix has it until our
// 250.
#pragma once

#include "base/handle.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace demail::relay {

/// The spool directory with its nameless files. A few of those that stayed nameless are kept,
/// empty, for the next messages. Thread-safe.
class Spool {
  public:
    explicit Spool(std::string directory) : directory_(std::move(directory)) {}

    /// An empty file: O_TMPFILE, 0600. Throws std::system_error that names the directory.
    [[nodiscard]] Fd take();
    /// Nothing of it is left when this returns, unless it has been given a name meanwhile.
    void put_back(Fd file) noexcept;

  private:
    static constexpr std::size_t kept = 16;
    const std::string directory_;
    std::mutex mutex_;
    std::vector<Fd> empty_; // guarded by mutex_
};

/// Belongs to one thread at a time.
class SpoolFile {
  public:
    explicit SpoolFile(std::shared_ptr<Spool> spool)
        : spool_(std::move(spool)), fd_(spool_->take()) {}
    SpoolFile(const SpoolFile &) = delete;
    SpoolFile &operator=(const SpoolFile &) = delete;
    ~SpoolFile() { spool_->put_back(std::move(fd_)); }

    /// Appends through a buffer. A full disk is remembered, not thrown: see complete().
    void append(std::string_view bytes) noexcept;
    /// Writes the buffer out; false when any write has failed.
    [[nodiscard]] bool complete() noexcept;

    [[nodiscard]] int fd() const noexcept { return fd_.get(); }
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

  private:
    void write_out(std::string_view bytes) noexcept;

    std::shared_ptr<Spool> spool_;
    Fd fd_;
    std::string buffer_;
    std::uint64_t size_ = 0;
    off_t written_ = 0;
    bool failed_ = false;
};

} // namespace demail::relay
