#include "module/say.hpp"

#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <functional>

namespace demail::module {

void say(std::string_view sentence) noexcept {
    const char *sink = ::secure_getenv("DEMAIL_LOG");
    if (sentence.empty() || sink == nullptr || std::string_view(sink) != "stderr") return;
    // While a card is waited for the same one comes again and again.
    static std::atomic<std::size_t> last{0};
    const std::size_t now = std::hash<std::string_view>{}(sentence);
    if (last.exchange(now) == now) return;
    constexpr std::string_view before = "demail-tcos-pkcs11: ", after = "\n";
    const auto piece = [](std::string_view text) {
        return iovec{const_cast<char *>(text.data()), text.size()};
    };
    const std::array<iovec, 3> line{piece(before), piece(sentence), piece(after)};
    [[maybe_unused]] const ssize_t written =
        ::writev(STDERR_FILENO, line.data(), static_cast<int>(line.size()));
}

} // namespace demail::module
