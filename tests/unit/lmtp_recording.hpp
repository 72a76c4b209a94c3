// A service that writes down what it is told, and the client's end of a connection.
#pragma once

#include "base/handle.hpp"
#include "lmtp/server.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace demail::lmtp::test {

struct Recorded {
    Envelope envelope;
    std::string content;
    bool completed = false, bad_bytes = false;
};

/// Answers every recipient with 250 and its own address, "bad…" with 550.
class Recording : public Service {
  public:
    std::optional<Reply> sender(const Envelope &envelope) override {
        if (envelope.sender == "refused@x") return Reply{550, "5.7.1", "Not you"};
        return std::nullopt;
    }
    std::optional<Reply> recipient(const Envelope &, std::string_view recipient) override {
        if (recipient == "nobody@x") return Reply{550, "5.1.1", "No such user"};
        if (recipient == "throw@x") throw std::runtime_error("recipient");
        return std::nullopt;
    }
    std::unique_ptr<Delivery> begin(const Envelope &envelope, Reply &refusal) override {
        if (envelope.sender == "nodata@x") {
            refusal = {451, "4.3.1", "No room"};
            return nullptr;
        }
        const std::lock_guard lock(mutex_);
        messages_.push_back(std::make_shared<Recorded>());
        messages_.back()->envelope = envelope;
        return std::make_unique<Writer>(*this, messages_.back());
    }

    /// What came in so far; copies.
    std::vector<Recorded> messages() {
        const std::lock_guard lock(mutex_);
        std::vector<Recorded> all;
        for (const auto &one : messages_)
            all.push_back(*one);
        return all;
    }
    std::atomic<int> open = 0; ///< deliveries alive

  private:
    class Writer : public Delivery {
      public:
        Writer(Recording &owner, std::shared_ptr<Recorded> message)
            : owner_(owner), message_(std::move(message)) {
            ++owner_.open;
        }
        ~Writer() override { --owner_.open; }
        Writer(const Writer &) = delete;
        Writer &operator=(const Writer &) = delete;
        void receive(std::string_view bytes) override {
            if (message_->envelope.sender == "full@x") throw std::runtime_error("disk full");
            const std::lock_guard lock(owner_.mutex_);
            message_->content += bytes;
        }
        std::vector<Reply> complete(bool bad_bytes) override {
            const std::lock_guard lock(owner_.mutex_);
            message_->completed = true;
            message_->bad_bytes = bad_bytes;
            std::vector<Reply> replies;
            for (const std::string &one : message_->envelope.recipients)
                replies.push_back(one.starts_with("bad") ? Reply{550, "5.7.1", "<" + one + ">"}
                                                         : Reply{250, "2.0.0", "<" + one + ">"});
            if (message_->envelope.sender == "few@x") replies.pop_back();
            return replies;
        }

      private:
        Recording &owner_;
        std::shared_ptr<Recorded> message_;
    };

    std::mutex mutex_;
    std::vector<std::shared_ptr<Recorded>> messages_;
};

/// The client's end. Every wait ends after ten seconds with what has come.
class Client {
  public:
    explicit Client(Fd socket) : socket_(std::move(socket)) {}

    void send(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent < 0) throw std::runtime_error("send");
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
    }
    /// The next line without its CRLF; "" at the end.
    std::string line() {
        std::size_t end = 0;
        while ((end = input_.find("\r\n")) == std::string::npos)
            if (!more()) return "";
        std::string line = input_.substr(0, end);
        input_.erase(0, end + 2);
        return line;
    }
    /// The last line of a reply.
    std::string reply() {
        std::string got = line();
        while (got.size() > 3 && got[3] == '-')
            got = line();
        return got;
    }
    std::string ask(std::string_view command) {
        send(std::string(command) + "\r\n");
        return reply();
    }
    /// The first nine characters, code and enhanced code: "250 2.1.0".
    std::string code(std::string_view command) { return ask(command).substr(0, 9); }
    void close() { socket_.reset(); }
    void half_close() { ::shutdown(socket_.get(), SHUT_WR); }
    /// True when the server has closed and nothing is left to read.
    bool at_end() { return input_.empty() && !more() && closed_; }

  private:
    bool more() {
        pollfd wait{socket_.get(), POLLIN, 0};
        if (::poll(&wait, 1, 10000) != 1) return false;
        char buffer[65536];
        const ssize_t got = ::recv(socket_.get(), buffer, sizeof buffer, 0);
        if (got > 0) input_.append(buffer, static_cast<std::size_t>(got));
        closed_ = got <= 0;
        return got > 0;
    }
    Fd socket_;
    std::string input_;
    bool closed_ = false;
};

} // namespace demail::lmtp::test
