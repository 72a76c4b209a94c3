#include "journal/belonging.hpp"

#include "base/file.hpp"
#include "base/log.hpp"

#include <system_error>

namespace demail::journal {

namespace {

constexpr std::size_t longest_identity = 1024;

std::string file_in(const std::string &evidence) {
    return evidence + "/" + identity_name;
}

bool belongs(const std::string &evidence, const std::string &identity) {
    try {
        return read_file(file_in(evidence), longest_identity) == identity + "\n";
    } catch (const std::system_error &) { // written anew, or that says what is wrong
        return false;
    }
}

} // namespace

void write_belonging(const std::string &evidence, const std::string &identity) {
    try {
        replace_file(file_in(evidence), identity + "\n", 0600);
    } catch (const std::system_error &error) {
        throw Unavailable(std::string("the evidence cannot be kept: ") + error.what());
    }
}

void Belonging::ensure(const std::string &evidence,
                       const std::function<void(const Rebuilt &)> &alive) {
    const std::string identity = journal_.identity();
    std::unique_lock lock(mutex_);
    if (identity == identity_ && evidence == evidence_) return;
    if (rebuilding_) throw Unavailable("the journal is being rebuilt from the evidence");
    if (!belongs(evidence, identity)) {
        rebuilding_ = true; // nobody waits here for what may take minutes
        lock.unlock();
        try {
            rebuild_for(identity, evidence, alive);
        } catch (...) {
            lock.lock();
            rebuilding_ = false;
            throw;
        }
        lock.lock();
        rebuilding_ = false;
    }
    journal_.hold_to(identity);
    identity_ = identity;
    evidence_ = evidence;
}

void Belonging::rebuild_for(const std::string &identity, const std::string &evidence,
                            const std::function<void(const Rebuilt &)> &alive) {
    const Rebuilt done = rebuild(journal_, evidence, clock_(), alive);
    write_belonging(evidence, identity);
    if (done.restored + done.known + done.unreadable > 0)
        log::event(log::Level::warning, "rebuilt",
                   {{"count", std::to_string(done.restored)},
                    {"known", std::to_string(done.known)},
                    {"unreadable", std::to_string(done.unreadable)},
                    {"reason", "the journal did not know this host's evidence"}});
}

} // namespace demail::journal
