// Keeps the domain list: asks the providers daily, takes their lists by the rules and the hints
// that demail-directory has from DNS, publishes, tells the relay. The last good list stays while a
// provider is away, and the last hints while their file cannot be read.
#pragma once

#include "base/file_stamp.hpp"
#include "relay/domain_files.hpp"
#include "relay/domain_questions.hpp"
#include "relay/service.hpp"

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace demail::relay {

struct DomainStatus {
    std::size_t active = 0, ended = 0;
    Domains waiting;
    Domains hinted; ///< taken from DNS; what the list knows besides counts there
    /// "domain: why", of the lists that were taken last; the first of them where there are many.
    std::vector<std::string> refused;
    std::string alarm, hints_alarm; ///< "" for none
    std::int64_t refreshed = 0;     ///< Unix seconds of the last answer, 0 for never
};

/// Thread-safe; owns its thread.
class DomainKeeper {
  public:
    explicit DomainKeeper(Service &service);
    ~DomainKeeper(); ///< ends the thread; waits for a request under way

    void refresh(); ///< soon, in the background
    void accept(const std::string &
                    domain); ///< the operator says that it is De-Mail; throws std::invalid_argument
    void
    forget(const std::string &domain); ///< an ended domain becomes an ordinary one again; the same
    [[nodiscard]] DomainStatus status() const;

  private:
    void run();
    void work();
    [[nodiscard]] bool rest(std::chrono::seconds time);
    void begin_with_hints(const Settings &settings);
    void read_hints(const Settings &settings);
    void see_to_hints(const Settings &settings);
    void publish(const Settings &settings, const DomainMemory &memory);
    void ask_providers(DomainMemory &memory);
    [[nodiscard]] DomainQuestions questions(const Settings &settings);
    void tell_of_refused(const std::string &provider, std::vector<std::string> refused);
    [[nodiscard]] std::optional<std::string> ended(const std::string &domain) const;
    [[nodiscard]] bool ending() const;
    void alarm(const std::string &sentence);
    [[nodiscard]] bool wait(std::chrono::seconds time);

    Service &service_;
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    bool ending_ = false, asked_ = true;
    Domains accept_, forget_;
    DomainStatus status_;
    /// By provider. Only on thread_.
    std::map<std::string, std::vector<std::string>, std::less<>> refused_;
    /// Those in force; nullopt before the first look, and without [hints]. Only on thread_.
    std::optional<Domains> hints_;
    /// Of the file that hints_ came from; nullopt: it is to be read. Only on thread_.
    std::optional<FileStamp> hints_stamp_;
    std::thread thread_;
};

} // namespace demail::relay
