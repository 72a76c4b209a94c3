#include "soap/base64_ahead.hpp"

#include "soap/read_region.hpp"

#include <openssl/evp.h>
#include <signal.h>

namespace demail::soap {

Base64Ahead::Base64Ahead(int fd, off_t offset, std::uint64_t length) {
    sigset_t all, before;
    sigfillset(&all); // signals are the main thread's
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
        thread_ = std::thread([this, fd, offset, length] { run(fd, offset, length); });
    } catch (...) {
        ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
        throw;
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Base64Ahead::~Base64Ahead() {
    {
        const std::lock_guard lock(mutex_);
        unwanted_ = true;
        change_.notify_all();
    }
    thread_.join();
}

bool Base64Ahead::wait_for_slot() {
    std::unique_lock lock(mutex_);
    change_.wait(lock, [this] { return unwanted_ || made_ - used_ < slots_.size(); });
    return !unwanted_;
}

void Base64Ahead::run(int fd, off_t offset, std::uint64_t length) noexcept {
    std::exception_ptr fault;
    try {
        read_region(fd, offset, length, [this](std::string_view bytes) {
            if (!wait_for_slot()) return false;
            Slot &slot = slots_[made_ % slots_.size()]; // made_ is this thread's to change
            slot.text.resize(4 * (read_piece / 3) + 1); // EVP_EncodeBlock ends its text with a NUL
            slot.length = static_cast<std::size_t>(
                EVP_EncodeBlock(reinterpret_cast<unsigned char *>(slot.text.data()),
                                reinterpret_cast<const unsigned char *>(bytes.data()),
                                static_cast<int>(bytes.size())));
            const std::lock_guard lock(mutex_);
            ++made_;
            change_.notify_all();
            return true;
        });
    } catch (...) {
        fault = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    fault_ = fault;
    ended_ = true;
    change_.notify_all();
}

std::string_view Base64Ahead::next() {
    std::unique_lock lock(mutex_);
    if (holds_) {
        ++used_;
        holds_ = false;
        change_.notify_all();
    }
    change_.wait(lock, [this] { return ended_ || made_ > used_; });
    if (made_ > used_) {
        holds_ = true;
        const Slot &slot = slots_[used_ % slots_.size()];
        return std::string_view(slot.text).substr(0, slot.length);
    }
    if (fault_) std::rethrow_exception(fault_);
    return {};
}

} // namespace demail::soap
