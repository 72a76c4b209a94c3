// What the journal's tests share: the records that they write, and the two places where it lies.
#pragma once

#include "check.hpp"
#include "journal/journal.hpp"
#include "postgresql_server.hpp"
#include "temporary_directory.hpp"

#include <memory>
#include <string>
#include <vector>

namespace demail::test {

inline const SealKey journal_key("k1", std::string(32, 'k'));

inline Nonce nonce(unsigned char first, unsigned char second = 0) {
    Nonce n{};
    n[0] = first;
    n[1] = second;
    return n;
}

inline journal::Submission submission_of(const Nonce &n, const std::string &of_class,
                                         const std::vector<std::string> &recipients) {
    journal::Submission made;
    made.private_id = PrivateId::make(journal_key, n, of_class, "file 7");
    made.n = n;
    made.account = "firm";
    made.created = 1000;
    made.queue_id = "4abc";
    for (const std::string &one : recipients)
        made.recipients.push_back({{*Address::parse(one), RecipientField::to}, std::nullopt});
    return made;
}

inline journal::Submission submission(unsigned char n, const std::string &of_class,
                                      const std::vector<std::string> &recipients) {
    return submission_of(nonce(n), of_class, recipients);
}

inline journal::HandOver hand_over_of(const Nonce &n, const std::string &content = "c0ffee") {
    return {n,
            content,
            "firm",
            *Address::parse("anna@firm.de-mail.de"),
            "anna@firm.example",
            "<1@firm.example>",
            900};
}

inline journal::HandOver hand_over(unsigned char n, const std::string &content = "c0ffee") {
    return hand_over_of(nonce(n), content);
}

/// One for the program; it ends with it.
inline PostgresqlServer &postgresql_server() {
    static PostgresqlServer server;
    return server;
}

struct Sqlite {
    TemporaryDirectory directory;
    std::string url = "sqlite3://" + directory.path() + "/journal.db";
};

struct Postgresql {
    std::string url = postgresql_server().database();
    std::string sql(const std::string &text) const { return postgresql_server().sql(url, text); }
};

/// A journal and the relay that has it open.
template <typename Place>
struct Store : Place {
    std::unique_ptr<journal::Journal> journal = journal::Journal::open(this->url, "host-a");
    void reopen() {
        journal.reset();
        journal = journal::Journal::open(this->url, "host-a");
    }
};

} // namespace demail::test
