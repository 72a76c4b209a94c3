#include "filter/macro_guard.hpp"

#include <dlfcn.h>
#include <sys/time.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

namespace demail::filter {
namespace {

// libmilter/mfdef.h, libmilter.h: SMFIC_MACRO; SMFIC_RECVERR ends the session without a word.
constexpr char macro_packet = 'D';
constexpr char receive_error = 4;

using Reading = char *(*)(int, struct timeval *, char *, std::size_t *, char *);
Reading libmilters_own = nullptr;

} // namespace

bool has_a_value_for_each_name(std::string_view macros) noexcept {
    return std::count(macros.begin(), macros.end(), '\0') % 2 == 0;
}

void guard_macros() {
    libmilters_own = reinterpret_cast<Reading>(::dlsym(RTLD_NEXT, "mi_rd_cmd"));
    if (libmilters_own == nullptr)
        throw std::runtime_error("this libmilter has no mi_rd_cmd, without which a broken peer "
                                 "could end the milter; use another version of it");
}

extern "C" {
/// In the place of libmilter's, of the same form: what it returns is the caller's to free().
__attribute__((visibility("default"))) char *
mi_rd_cmd(int socket, struct timeval *timeout, char *command, std::size_t *size, char *name) {
    char *data = libmilters_own(socket, timeout, command, size, name);
    if (data == nullptr || *command != macro_packet || has_a_value_for_each_name({data, *size}))
        return data;
    std::free(data);
    *command = receive_error;
    return nullptr;
}
}

} // namespace demail::filter
