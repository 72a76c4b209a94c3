// The domain list's files: the text that the milter reads, the index and `.hidden` that Postfix
// reads (domain_tables.hpp), and `.indexed`, the list that these were made from. Order of writing
// is what keeps a De-Mail from leaving as plain mail.
#pragma once

#include "message/domain_set.hpp"
#include "relay/domain_rules.hpp"

#include <chrono>
#include <functional>
#include <string>

namespace demail::relay {

/// Not thread-safe: the domain keeper's alone.
class DomainFiles {
  public:
    /// `pause` waits while Postfix takes up a new index; false when the relay is to end.
    using Pause = std::function<bool()>;
    DomainFiles(std::string path, std::string postfix_configuration);

    /// Brings the files to `next`: a name enters the index before the text and leaves the text
    /// before the index. Throws std::runtime_error with a sentence.
    void publish(const DomainSet &next, const Pause &pause);

    [[nodiscard]] DomainSet current() const; ///< the text's; the built-in list where there is none
    /// The built-in list alone where there is no memory; throws when the file is damaged.
    [[nodiscard]] DomainMemory memory() const;
    void remember(const DomainMemory &memory) const;

  private:
    [[nodiscard]] std::string make_index(const DomainSet &domains) const;
    void say_indexed(const std::string &beside) const;
    [[nodiscard]] bool index_is(const DomainSet &domains) const;
    [[nodiscard]] std::string index_file() const;
    [[nodiscard]] std::string database_type() const;

    std::string path_, postfix_configuration_;
    mutable std::string type_;
};

} // namespace demail::relay
