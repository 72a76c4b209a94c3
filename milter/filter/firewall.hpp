// The header firewall (contracts.md, "The seal"): which fields of a message must go before anything
// behind us reads them. No I/O. One object serves one message; not shared between threads.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace demail::filter {

/// One field to delete: `index` counts the fields of that name from 1, top to bottom, without
/// regard to case, as Postfix counts them.
struct Removal {
    std::string name;
    unsigned index = 1;
    friend bool operator==(const Removal &, const Removal &) = default;
};

class Firewall {
  public:
    /// More removals than this are a load on cleanup(8), which searches the header for each, and
    /// no honest message.
    static constexpr std::size_t limit = 500;

    /// The topmost field of this name, one of ours, stays too. Before the first field is seen.
    void keep(std::string_view name) { kept_ = name; }

    /// Takes the fields of the header in their order, each once. All that reads as x-de-mail… or
    /// demail… goes. What the sender of a De-Mail may set has been read then, the topmost of a
    /// name, since it is the one that counts (TR-01201 3.4 3.1.1): the seal holds it, and a bounce
    /// is not to show it. The private-id stays for the relay. In other mail it would look like a
    /// De-Mail's sender and options to the reader of a mailbox.
    void see(std::string_view name, bool of_demail);

    /// Besides what a sender may set.
    [[nodiscard]] bool anything_to_remove() const noexcept { return !removals_.empty(); }
    [[nodiscard]] bool over_limit() const noexcept { return over_limit_; }
    [[nodiscard]] std::size_t size() const noexcept { return removals_.size(); }

    /// In the order in which they must be asked for: Postfix renumbers after each deletion, so the
    /// highest index goes first (in ascending order every second forged field would stand).
    [[nodiscard]] std::vector<Removal> removals() const;

    /// The names to be removed, cut for a log line.
    [[nodiscard]] std::string names() const;

  private:
    struct Seen {
        std::string name; ///< lower case
        unsigned count;
    };
    std::string kept_;
    std::vector<Seen> seen_;
    std::vector<Removal> removals_;
    std::vector<Removal> read_; ///< what the sender may set and the seal holds
    bool over_limit_ = false;
};

} // namespace demail::filter
