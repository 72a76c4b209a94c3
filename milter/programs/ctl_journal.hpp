// The journal read by demailctl itself, where no relay runs that could be asked.
#pragma once

#include "admin/configuration.hpp"
#include "journal/journal.hpp"

#include <memory>

namespace demail::ctl {

/// For root, who becomes the relay's user for the rest of the program: so the files that SQLite
/// makes beside the journal are the relay's, and PostgreSQL knows the user. For that user himself
/// too. Throws std::runtime_error with a sentence for anybody else, and where there is no journal.
[[nodiscard]] std::unique_ptr<journal::Journal> open_journal(const Configuration &configuration);

/// Root becomes the user to whom the evidence belongs, for the rest of the program; that user
/// stays. Throws std::runtime_error with a sentence for anybody else, and where there is no
/// evidence.
void become_keeper(const Configuration &configuration);
/// The journal for him to write to, made where there is none. Throws std::runtime_error.
[[nodiscard]] std::unique_ptr<journal::Journal>
open_journal_to_write(const Configuration &configuration);

} // namespace demail::ctl
