// A PKCS#11 module in a process of its own, seen from the daemon: asked within a time limit, killed
// where it does not keep it. Belongs to one thread; the child ends with it.
#pragma once

#include "base/handle.hpp"
#include "broker/driver.hpp"
#include "wire/frame.hpp"
#include "wire/message.hpp"

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <variant>

namespace demail::broker {

class ModuleChild {
  public:
    /// Starts this same program as the module's host. Throws std::system_error.
    explicit ModuleChild(const std::string &module);
    /// Kills it.
    ~ModuleChild();
    ModuleChild(const ModuleChild &) = delete;
    ModuleChild &operator=(const ModuleChild &) = delete;

    /// Away: it died, did not answer in time, or not sensibly; then it is of no more use.
    [[nodiscard]] std::variant<wire::Reply, Away> ask(const wire::Request &request,
                                                      std::chrono::milliseconds limit);

  private:
    [[nodiscard]] bool wait(short events, std::chrono::steady_clock::time_point end) const;

    pid_t pid_ = -1;
    Fd socket_;
    std::uint32_t last_id_ = 0;
    wire::FrameReader reader_{wire::limit::reply};
};

/// The first word of the command line that makes the program a module's host; the second is the
/// module's path, the socket is descriptor 3.
inline constexpr const char *module_host_word = "--module-host";
inline constexpr int module_host_socket = 3;

} // namespace demail::broker
