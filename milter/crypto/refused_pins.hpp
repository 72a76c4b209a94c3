// Which PIN file a token has refused, on disk: whoever starts this program anew with the same wrong
// PIN must not spend another of the token's tries. One file a token; nothing in it comes from the
// PIN. Not thread-safe: used on the token's thread.
#pragma once

#include <string>
#include <string_view>

namespace demail::crypto {

struct TokenIdentity;

class RefusedPins {
  public:
    /// `directory` is made when it is first needed. "": nothing outlives the process.
    explicit RefusedPins(std::string directory) : directory_(std::move(directory)) {}

    /// Before the PIN of the file `path` is offered; `origin` tells the file from others
    /// (Pin::origin). Written down first, since the answer may never come: a second such try is
    /// allowed, a third is not. Throws TokenUnavailable (Reason::locked) when this file was refused
    /// or the note cannot be made.
    void begin(const TokenIdentity &token, const std::string &path, std::string_view origin) const;
    /// The token has said no. Throws std::system_error.
    void refused(const TokenIdentity &token, const std::string &path,
                 std::string_view origin) const;
    /// The token has said yes, or failed for another reason than the PIN.
    void forget(const TokenIdentity &token) const noexcept;

  private:
    [[nodiscard]] std::string file_of(const TokenIdentity &token) const;
    void write(const TokenIdentity &token, const std::string &path, std::string_view origin,
               std::string_view outcome) const;

    std::string directory_;
};

} // namespace demail::crypto
