#include "base/handle.hpp"
#include "journal/database.hpp"
#include "journal/journal.hpp"
#include "journal/postgresql_settings.hpp"
#include "journal/schema.hpp"

#include <fcntl.h>
#include <poll.h>
#include <soci/postgresql/soci-postgresql.h>
#include <sys/socket.h>

#include <atomic>

namespace demail::journal {

namespace {

constexpr std::size_t most_connections = 8;

/// This relay and which of its runs it is.
struct Identity {
    const std::string relay, run;
    std::atomic<bool> written = false;
};

class PostgresqlConnection final : public Connection {
  public:
    PostgresqlConnection(const std::string &settings, Identity &identity) : identity_(identity) {
        sql.open(*soci::factory_postgresql(), settings);
        server_ = static_cast<soci::postgresql_session_backend *>(sql.get_backend())->conn_;
        // With detail, an error would quote the row.
        ::PQsetErrorVerbosity(server_, PQERRORS_TERSE);
        // Notices would go to standard error.
        ::PQsetNoticeProcessor(
            server_, [](void *, const char *) {}, nullptr);
        socket_ = Fd(::fcntl(::PQsocket(server_), F_DUPFD_CLOEXEC, 0));
    }
    PostgresqlConnection(const PostgresqlConnection &) = delete;
    PostgresqlConnection &operator=(const PostgresqlConnection &) = delete;
    /// SOCI gives each kept statement back to the server, which may not answer.
    ~PostgresqlConnection() override { cut(); }

    void prepare() override {
        require_settings();
        migrate(sql, postgresql_dialect);
        // Once; but a database that was made anew meanwhile does not know it.
        sql << std::string("insert into relay (name, run) values (:name, :run) on conflict (name) "
                           "do ") +
                   (identity_.written ? "nothing" : "update set run = excluded.run"),
            soci::use(identity_.relay), soci::use(identity_.run);
        identity_.written = true;
        kept.emplace(sql, postgresql_dialect);
        kept->bound.identity = identity_of(sql);
    }

    bool taken(const soci::soci_error &error) const override {
        const auto *own = dynamic_cast<const soci::postgresql_soci_error *>(&error);
        return own != nullptr && own->sqlstate() == "23505"; // unique_violation
    }

    /// A server that went away has closed the connection, or said that it will.
    bool usable() override {
        pollfd waiting{socket_.get(), POLLIN, 0};
        return ::PQstatus(server_) == CONNECTION_OK &&
               ::PQtransactionStatus(server_) == PQTRANS_IDLE && ::poll(&waiting, 1, 0) == 0;
    }

    /// Through a descriptor of our own: libpq closes its one when it likes.
    void cut() noexcept override { ::shutdown(socket_.get(), SHUT_RDWR); }

  private:
    void require_settings() {
        // What returned is on disk, whatever the server's default is.
        sql << "select set_config('synchronous_commit', 'on', false) where "
               "current_setting('synchronous_commit') <> 'remote_apply'";
        std::string encoding;
        sql << "select current_setting('server_encoding')", soci::into(encoding);
        if (encoding != "UTF8")
            throw Unavailable("the journal's database has the encoding " + encoding +
                              "; it must be UTF8");
    }

    Identity &identity_;
    PGconn *server_ = nullptr;
    Fd socket_;
};

class PostgresqlDatabase final : public Database {
  public:
    PostgresqlDatabase(std::string settings, std::string relay, std::string run)
        : settings_(std::move(settings)), identity_{std::move(relay), std::move(run)} {}

    std::unique_ptr<Connection> connect() override {
        return std::make_unique<PostgresqlConnection>(settings_, identity_);
    }
    const Dialect &dialect() const noexcept override { return postgresql_dialect; }
    std::size_t connections() const noexcept override { return most_connections; }
    std::chrono::milliseconds time_limit() const noexcept override { return call_limit; }

  private:
    const std::string settings_;
    Identity identity_;
};

} // namespace

std::unique_ptr<Database> postgresql_database(const std::string &url, const std::string &relay,
                                              const std::string &run) {
    return std::make_unique<PostgresqlDatabase>(postgresql_settings(url), relay, run);
}

} // namespace demail::journal
