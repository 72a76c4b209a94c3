#include "programs/ctl_pin_entry.hpp"

#include "base/digest.hpp"
#include "base/handle.hpp"
#include "wire/message.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace demail::ctl {
namespace {

constexpr const char *too_long = "that is longer than a PIN can be";

/// Each key reaches this process at once, so that the line lies in no buffer of the terminal but
/// our own memory; Ctrl-C too, so that it cannot end us with the echo off.
class SilentTerminal {
  public:
    explicit SilentTerminal(int fd) : fd_(fd) {
        if (::tcgetattr(fd_, &before_) != 0) return;
        termios silent = before_;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL | ICANON | ISIG);
        silent.c_cc[VMIN] = 1;
        silent.c_cc[VTIME] = 0;
        works_ = ::tcsetattr(fd_, TCSAFLUSH, &silent) == 0;
    }
    ~SilentTerminal() {
        if (works_) ::tcsetattr(fd_, TCSAFLUSH, &before_);
    }
    SilentTerminal(const SilentTerminal &) = delete;
    SilentTerminal &operator=(const SilentTerminal &) = delete;
    [[nodiscard]] bool works() const noexcept { return works_; }

  private:
    int fd_;
    bool works_ = false;
    termios before_{};
};

enum class Key { character, end, none, error };

Key read_key(int fd, char &c) {
    for (;;) {
        const ssize_t got = ::read(fd, &c, 1);
        if (got == 1) return c == '\n' || c == '\r' ? Key::end : Key::character;
        if (got == 0) return Key::none;
        if (errno != EINTR) return Key::error;
    }
}

void write_text(int fd, const std::string &text) {
    // A terminal that cannot be written to shows itself with the read that follows.
    [[maybe_unused]] const ssize_t written = ::write(fd, text.data(), text.size());
}

std::variant<Secret, std::string> typed(int terminal, const std::string &prompt) {
    const SilentTerminal silent(terminal);
    if (!silent.works()) return "the terminal's echo cannot be switched off";
    write_text(terminal, prompt);
    Secret line(wire::limit::pin);
    const auto ended = [&] { write_text(terminal, "\n"); };
    for (char c = 0;;) {
        const Key key = read_key(terminal, c);
        if (key != Key::character) {
            ended();
            if (key == Key::error) return std::string(std::strerror(errno));
            if (key == Key::none || line.empty()) return "no PIN was entered";
            return line;
        }
        if (c == 0x03 || c == 0x04 || c == 0x1c) { // Ctrl-C, Ctrl-D, Ctrl-backslash
            ended();
            return "interrupted";
        }
        if (c == 0x7f || c == 0x08) { // backspace
            if (!line.empty()) line.resize(line.size() - 1);
        } else if (c == 0x15) { // Ctrl-U
            line.resize(0);
        } else if (line.size() == line.capacity()) {
            ended();
            return too_long;
        } else {
            line.append({&c, 1});
        }
        c = 0;
    }
}

std::variant<Secret, std::string> read_line(int fd) {
    // Octet by octet: what follows the line belongs to the next PIN.
    Secret line(wire::limit::pin);
    for (char c = 0;;) {
        const Key key = read_key(fd, c);
        if (key == Key::error) return std::string(std::strerror(errno));
        if (key == Key::end && c == '\r') continue;
        if (key != Key::character) {
            if (line.empty()) return "there is no PIN to read from the file descriptor";
            return line;
        }
        if (line.size() == line.capacity()) return too_long;
        line.append({&c, 1});
        c = 0;
    }
}

} // namespace

void guard_process() {
    const rlimit none{0, 0};
    // Neither can fail for a process that gives something up.
    ::prctl(PR_SET_DUMPABLE, 0);
    ::setrlimit(RLIMIT_CORE, &none);
}

std::variant<Secret, std::string> PinEntry::next(const std::string &prompt, bool fresh) {
    if (fd_) return read_line(*fd_);
    const Fd terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
    if (!terminal)
        return "there is no terminal to ask for a PIN; run it on one, or give the PIN by --pin-fd";
    auto first = typed(terminal.get(), prompt + ": ");
    if (!fresh || std::holds_alternative<std::string>(first)) return first;
    auto second = typed(terminal.get(), prompt + ", again: ");
    if (std::holds_alternative<std::string>(second)) return second;
    if (!equal_constant_time(std::get<Secret>(first).view(), std::get<Secret>(second).view()))
        return "the two are not alike";
    return first;
}

} // namespace demail::ctl
