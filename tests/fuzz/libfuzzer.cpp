// libFuzzer's side: fuzz --target=NAME [libFuzzer's options] DIRECTORY…
#include "fuzz.hpp"

#include <cstdio>
#include <cstdlib>

namespace {

demail::fuzz::Target *chosen = nullptr;

} // namespace

extern "C" int LLVMFuzzerInitialize(int *count, char ***arguments) {
    constexpr std::string_view option = "--target="; // two hyphens: libFuzzer passes it over
    for (int i = 1; i < *count; ++i) {
        const std::string_view argument = (*arguments)[i];
        if (!argument.starts_with(option)) continue;
        const auto found = demail::fuzz::targets().find(argument.substr(option.size()));
        if (found != demail::fuzz::targets().end()) chosen = found->second;
    }
    if (chosen != nullptr) return 0;
    std::fputs("Name one of the targets by --target=:", stderr);
    for (const auto &[name, target] : demail::fuzz::targets())
        std::fprintf(stderr, " %.*s", static_cast<int>(name.size()), name.data());
    std::fputs("\n", stderr);
    std::exit(64);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *bytes, std::size_t size) {
    chosen({reinterpret_cast<const char *>(bytes), size});
    return 0;
}
