// A PIN in memory of its own: locked, left out of core dumps, wiped. A Pin belongs to one thread at
// a time.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace demail::crypto {

/// Where a PIN comes from, and where it is remembered that it was wrong (refused_pins.hpp).
struct PinSource {
    std::optional<std::string> file; ///< none: a PIN pad, or no PIN
    std::string refused_pins;        ///< directory; "": remembered by this process alone
};

class Pin {
  public:
    static constexpr std::size_t longest = 256;

    /// Reads a PIN file: a regular file of ours or root's that no group member may write and that
    /// the world may neither read nor write; one line end at its end is dropped. Throws
    /// TokenUnavailable (Reason::locked): without a PIN the token stays locked.
    static Pin read(const std::string &path);

    Pin(Pin &&other) noexcept;
    Pin &operator=(Pin &&other) noexcept;
    Pin(const Pin &) = delete;
    Pin &operator=(const Pin &) = delete;
    ~Pin();

    [[nodiscard]] unsigned char *data() const noexcept { return page_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    /// Which file it was read from, as of its i-node and time. Of a systemd credential
    /// ($CREDENTIALS_DIRECTORY), which every start makes anew, its name.
    [[nodiscard]] const std::string &origin() const noexcept { return origin_; }

  private:
    Pin();
    unsigned char *page_ = nullptr;
    std::size_t size_ = 0;
    std::string origin_;
};

} // namespace demail::crypto
