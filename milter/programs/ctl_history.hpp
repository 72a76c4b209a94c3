// demailctl list, show, trace: what has become of De-Mails.
#pragma once

#include "admin/configuration.hpp"

#include <cstddef>
#include <string>

namespace demail::ctl {

struct HistoryWords {
    std::string state, since; ///< "" for all
    std::size_t limit = 50;
    std::string id; ///< of show and trace
};

/// Exit codes: 0; 1 where nothing was found or the relay refuses; 64 a word that is none; 69 the
/// relay is not reached.
[[nodiscard]] int list_submissions(const Configuration &configuration, const HistoryWords &words,
                                   bool json);
[[nodiscard]] int show_submission(const Configuration &configuration, const HistoryWords &words,
                                  bool json);
[[nodiscard]] int trace_submissions(const Configuration &configuration, const HistoryWords &words,
                                    bool json);

} // namespace demail::ctl
