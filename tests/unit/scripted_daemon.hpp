// The other end of the wire, for tests: a real Unix socket, a thread to a connection, answers that
// the test gives.
#pragma once

#include "base/handle.hpp"
#include "wire/codec.hpp"

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace demail::test {

class ScriptedDaemon {
  public:
    /// nullopt: the connection is hung up instead. Called by several threads at once; Hello is
    /// answered by the daemon itself.
    using Script = std::function<std::optional<wire::Reply>(const wire::Request &)>;

    /// Listens at `path` at once.
    ScriptedDaemon(std::string path, Script script);
    ~ScriptedDaemon();
    ScriptedDaemon(const ScriptedDaemon &) = delete;
    ScriptedDaemon &operator=(const ScriptedDaemon &) = delete;

    /// As if the daemon ended: the connections are cut, nobody listens.
    void stop();
    void start();
    /// Bytes to send once in place of the next reply.
    void say_next(std::string bytes);

    [[nodiscard]] const std::string &path() const noexcept { return path_; }
    /// Requests since the start of the test, without Hello.
    [[nodiscard]] int requests() const noexcept { return requests_; }
    [[nodiscard]] int connections() const noexcept { return connections_; }

  private:
    void accept_all();
    void serve(int socket);
    [[nodiscard]] std::optional<std::string> answer(std::string_view payload);

    std::string path_;
    Script script_;
    Fd listener_;
    std::thread accepter_;
    std::mutex mutex_;
    std::vector<std::pair<int, std::thread>> served_; ///< under mutex_, like what follows
    std::optional<std::string> say_next_;
    std::atomic<bool> stopping_ = false;
    std::atomic<int> requests_ = 0, connections_ = 0;
};

/// A directory of its own, removed with all that is in it.
class TemporaryDirectory {
  public:
    TemporaryDirectory();
    ~TemporaryDirectory();
    TemporaryDirectory(const TemporaryDirectory &) = delete;
    TemporaryDirectory &operator=(const TemporaryDirectory &) = delete;
    [[nodiscard]] std::string file(const std::string &name) const { return path_ + "/" + name; }

  private:
    std::string path_;
};

} // namespace demail::test
