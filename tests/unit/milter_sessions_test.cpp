// The milter alone against peers that no MTA is: whatever they say in whatever order, it answers
// in the protocol's forms, gives nobody a seal who has no right, and keeps nothing of them.
// DEMAIL_SESSIONS and DEMAIL_SEED in the environment: how many, and another choice of them.
#include "base/handle.hpp"
#include "check.hpp"
#include "filter/listener.hpp"
#include "filter_fixture.hpp"
#include "message/seal.hpp"
#include "milter_script.hpp"

#include <arpa/inet.h>
#include <malloc.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <mutex>
#include <thread>

using namespace demail;
using namespace demail::test;

extern "C" {
// Of the sanitizers' runtime, where there is one.
__attribute__((weak)) std::size_t __sanitizer_get_current_allocated_bytes();
}

namespace {

constexpr int peers = 4;
constexpr int patience_ms = 10000;

std::uint64_t from_environment(const char *name, std::uint64_t otherwise) {
    const char *text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

struct CountingSink final : filter::EventSink {
    std::atomic<std::size_t> lines{0};
    void event(log::Level, std::string_view, std::initializer_list<log::Field>) override {
        ++lines;
    }
};

/// The milter on a socket, without its program.
class Milter {
  public:
    Milter()
        : firm_(false, false,
                [](filter::Settings &settings) {
                    settings.reinjection.push_back(*Network::parse("10.0.0.0/8"));
                }),
          current_(firm_.settings()), around_{current_, sink, [] { return 1700000000; }},
          listener_(path(), around_) {
        if (const auto reason = listener_.start()) throw std::runtime_error(*reason);
    }
    [[nodiscard]] std::string path() const { return directory_.path() + "/milter.sock"; }
    [[nodiscard]] bool running() const { return listener_.running(); }
    [[nodiscard]] SealKeys keys() const { return firm_.keys(); }
    bool stop() { return listener_.stop(); }
    CountingSink sink;

  private:
    TemporaryDirectory directory_;
    Firm firm_;
    filter::CurrentSettings current_;
    filter::Surroundings around_;
    filter::Listener listener_;
};

/// Says all of `said` and returns what is answered until the milter hangs up.
std::string answers(const std::string &path, std::string_view said) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    const Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(fd.get(), reinterpret_cast<sockaddr *>(&address), sizeof address) != 0)
        throw Failure{"connect: " + std::string(std::strerror(errno)), __FILE__, __LINE__};
    std::string heard;
    bool talking = true;
    for (;;) {
        pollfd one{fd.get(), static_cast<short>(talking ? POLLIN | POLLOUT : POLLIN), 0};
        if (::poll(&one, 1, patience_ms) <= 0)
            throw Failure{"the milter neither answers nor hangs up", __FILE__, __LINE__};
        if (talking && (one.revents & (POLLOUT | POLLERR)) != 0) {
            const ssize_t sent =
                ::send(fd.get(), said.data(), said.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            if (sent > 0) said.remove_prefix(static_cast<std::size_t>(sent));
            if (said.empty() || (sent < 0 && errno != EAGAIN)) {
                talking = false;
                ::shutdown(fd.get(), SHUT_WR);
            }
        }
        if ((one.revents & (POLLIN | POLLHUP)) != 0) {
            char piece[4096];
            const ssize_t got = ::recv(fd.get(), piece, sizeof piece, 0);
            if (got <= 0) return heard;
            heard.append(piece, static_cast<std::size_t>(got));
        }
    }
}

/// The values of the seals in what was answered; a Failure where an answer is none of the
/// protocol's. The last answer may be cut: a peer that is gone is not written to.
std::vector<std::string> seals_in(std::string_view heard) {
    std::vector<std::string> seals;
    while (heard.size() >= 5) {
        std::uint32_t size = 0;
        std::memcpy(&size, heard.data(), sizeof size);
        size = ntohl(size);
        CHECK(size >= 1 && size <= 65536U * 2);
        if (heard.size() - 4 < size) break;
        const char command = heard[4];
        const std::string data(heard.substr(5, size - 1));
        heard.remove_prefix(4 + size);
        CHECK(std::strchr("Oacstrymie", command) != nullptr && command != 0);
        if (command == 'y') {
            CHECK(data.size() > 12 && data.size() < 1000 && (data[0] == '4' || data[0] == '5'));
            CHECK(data[3] == ' ' && data[4] == data[0]);
            CHECK(std::all_of(data.begin(), data.end() - 1,
                              [](char one) { return one >= ' ' && one <= '~'; }));
        }
        if (command != 'i') continue;
        const auto name_end = data.find('\0', 4);
        CHECK_EQUAL(data.substr(4, name_end - 4), seal_field);
        seals.push_back(data.substr(name_end + 1, data.size() - name_end - 2));
    }
    return seals;
}

/// Only these may be sealed for, whatever was said.
bool has_a_right(const Address &sender) {
    const std::string text = sender.lower();
    return text == "anna@firm.de-mail.de" || text == "bob@firm.de-mail.de" ||
           text == "robot@firm.de-mail.de" || text == "scan@firm.de-mail.de" ||
           text.ends_with("@branch.de-mail.de");
}

std::size_t open_descriptors() {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto &one : std::filesystem::directory_iterator("/proc/self/fd"))
        ++count;
    return count;
}

std::size_t bytes_in_use() {
    if (__sanitizer_get_current_allocated_bytes != nullptr)
        return __sanitizer_get_current_allocated_bytes();
    return ::mallinfo2().uordblks;
}

/// Waits until the milter has let go of what its last peers left.
std::size_t settled(std::size_t (*reading)(), std::size_t expected) {
    std::size_t now = reading();
    for (int i = 0; i < 200 && now > expected; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(25));
        now = reading();
    }
    return now;
}

struct Tally {
    std::atomic<std::uint64_t> sessions{0}, seals{0}, octets{0};
    std::mutex mutex;
    std::string fault; ///< the first, with the seed that makes it again
};

void one_session(const Milter &milter, std::uint64_t seed, Tally &tally) {
    std::mt19937_64 random(seed);
    const std::string said = damaged(random_script(random), random);
    const std::string heard = answers(milter.path(), said);
    for (const std::string &value : seals_in(heard)) {
        const auto read = read_seal(value, milter.keys());
        CHECK(std::holds_alternative<CheckedSeal>(read));
        CHECK(has_a_right(std::get<CheckedSeal>(read).seal.sender));
        ++tally.seals;
    }
    tally.octets += said.size();
    ++tally.sessions;
}

void run_sessions(const Milter &milter, std::uint64_t first, std::uint64_t count, Tally &tally) {
    std::atomic<std::uint64_t> next{first};
    std::vector<std::thread> threads;
    for (int i = 0; i < peers; ++i)
        threads.emplace_back([&] {
            for (auto seed = next++; seed < first + count; seed = next++) {
                try {
                    one_session(milter, seed, tally);
                } catch (const Failure &failure) {
                    const std::lock_guard<std::mutex> lock(tally.mutex);
                    if (tally.fault.empty())
                        tally.fault = failure.text + " (DEMAIL_SEED=" + std::to_string(seed) +
                                      " DEMAIL_SESSIONS=1)";
                }
            }
        });
    for (std::thread &one : threads)
        one.join();
}

} // namespace

static void random_sessions_get_no_right_and_leave_nothing() {
    const std::uint64_t count = from_environment("DEMAIL_SESSIONS", 20000);
    const std::uint64_t seed = from_environment("DEMAIL_SEED", 1);
    Milter milter;
    Tally warm, tally;
    // What is allocated once: libmilter's workers, the readers' buffers.
    run_sessions(milter, seed, std::min<std::uint64_t>(count, 2000), warm);
    CHECK_EQUAL(warm.fault, "");
    const auto annas = octets(annas_letter());
    CHECK_EQUAL(seals_in(answers(milter.path(), annas)).size(), 1U);
    std::this_thread::sleep_for(std::chrono::seconds(2)); // its pool looks up once a second
    const std::size_t descriptors = open_descriptors(), bytes = bytes_in_use();

    run_sessions(milter, seed, count, tally);
    CHECK_EQUAL(tally.fault, "");
    CHECK_EQUAL(tally.sessions.load(), count);
    CHECK(milter.running());
    CHECK_EQUAL(seals_in(answers(milter.path(), annas)).size(), 1U);
    const std::size_t descriptors_after = settled(open_descriptors, descriptors);
    // A worker of libmilter more or less, not something of each session.
    const std::size_t allowed = bytes + 64 * 1024;
    const std::size_t bytes_after = settled(bytes_in_use, allowed);
    std::cout << "milter sessions: " << count << " (" << tally.octets.load() / 1024 << " KiB said, "
              << tally.seals.load() << " seals, " << milter.sink.lines.load()
              << " log lines); descriptors " << descriptors << " -> " << descriptors_after
              << ", bytes in use " << bytes << " -> " << bytes_after << "\n";
    CHECK_EQUAL(descriptors_after, descriptors);
    CHECK(bytes_after <= allowed);
    if (count >= 1000) CHECK(tally.seals > count / 10); // enough of them come that far
    CHECK(milter.stop());
}

int main() {
    return run("milter sessions", {TEST(random_sessions_get_no_right_and_leave_nothing)});
}
