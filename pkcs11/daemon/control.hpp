// A daemon's control socket: one line of words in, one JSON text out. Root and the group
// demail-admin may act, demail-view may look.
#pragma once

#include "base/handle.hpp"

#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace demail {

struct ControlCommand {
    bool acts = false; ///< changes something: demail-admin only
    /// The arguments after the command's name → JSON. May throw std::exception: the text becomes
    /// {"error": …}.
    std::function<std::string(const std::vector<std::string> &)> run;
};

/// Serves one request after the other on its own thread, each within 5 s.
class ControlServer {
  public:
    /// `program` is how the daemon is called in sentences.
    ControlServer(std::string program, Fd listener,
                  std::map<std::string, ControlCommand, std::less<>> commands);
    ~ControlServer();

  private:
    void run();
    void serve(int socket);

    std::string program_;
    Fd listener_, stop_;
    std::map<std::string, ControlCommand, std::less<>> commands_;
    std::thread thread_;
};

/// What the daemon `program` answers; throws std::runtime_error with a sentence when it does not.
[[nodiscard]] std::string control_request(const std::string &program, const std::string &socket,
                                          const std::vector<std::string> &words);

} // namespace demail
