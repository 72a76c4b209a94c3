// Which journal a host's evidence belongs to: the evidence's root holds the identity of the journal
// that knows all of it. Another journal, or a new one in the place of a lost one, learns what is
// there before the first submission, so that nothing is submitted twice.
#pragma once

#include "journal/rebuild.hpp"

#include <functional>
#include <mutex>
#include <string>

namespace demail::journal {

/// The name of that file.
inline constexpr const char *identity_name = "journal-identity";

/// Says in the evidence's root that this journal knows all that is there. Throws Unavailable.
void write_belonging(const std::string &evidence, const std::string &identity);

/// Thread-safe. One for a journal; it must outlive this.
class Belonging {
  public:
    Belonging(Journal &journal, std::function<Time()> clock)
        : journal_(journal), clock_(std::move(clock)) {}

    /// When this returns, the journal knows what this evidence tells; it costs next to nothing
    /// where it did already. Before each submission. Throws Unavailable, also while another thread
    /// is at it. `alive`: see rebuild().
    void ensure(const std::string &evidence,
                const std::function<void(const Rebuilt &)> &alive = {});

  private:
    void rebuild_for(const std::string &identity, const std::string &evidence,
                     const std::function<void(const Rebuilt &)> &alive);

    Journal &journal_;
    const std::function<Time()> clock_;
    std::mutex mutex_;
    std::string identity_, evidence_; ///< that belong to each other
    bool rebuilding_ = false;
};

} // namespace demail::journal
