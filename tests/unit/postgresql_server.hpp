// A PostgreSQL of the test's own: below a temporary directory, at a Unix socket alone, ended by its
// pid. The host's clusters are neither read nor used.
#pragma once

#include "temporary_directory.hpp"

#include <sys/types.h>

#include <string>

namespace demail::test {

class PostgresqlServer {
  public:
    static bool installed();

    /// Makes a cluster and starts it.
    PostgresqlServer();
    PostgresqlServer(const PostgresqlServer &) = delete;
    PostgresqlServer &operator=(const PostgresqlServer &) = delete;
    ~PostgresqlServer();

    void start();
    void stop(); ///< open connections are ended
    void kill(); ///< as a power cut would
    void hang(); ///< it answers no more, and ends no connection
    void go_on();

    /// A new and empty database; its URL.
    std::string database();
    /// Runs SQL there by a connection of its own; the first value of the result, "" for none.
    std::string sql(const std::string &url, const std::string &text) const;

  private:
    [[nodiscard]] std::string url_of(const std::string &database) const;
    void signal_all(int number) const;

    TemporaryDirectory directory_;
    std::string programs_;
    pid_t pid_ = 0;
    int databases_ = 0;
};

} // namespace demail::test
