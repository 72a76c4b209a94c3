// Between the journal's records and the kept statements' variables.
#pragma once

#include "journal/journal.hpp"
#include "journal/statements.hpp"

#include <string>
#include <vector>

namespace demail::journal {

/// The column n.
std::string key(const Nonce &n);
/// Throws Unavailable.
Nonce nonce_of(const std::string &key);

void bind(Bound &bound, const Reply &reply);

/// n and private_id are bound.
void write_recipients(Statements &kept, const Submission &submission);
/// private_id is bound.
void write_history(Statements &kept, State state, const Reply &outcome, Time at);

/// Without their recipients.
std::vector<Submission> read_submissions(Statements &kept, const Nonce &n);
void read_recipients(Statements &kept, Submission &submission);

} // namespace demail::journal
