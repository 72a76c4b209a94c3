#include "base/secret.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstring>
#include <new>
#include <stdexcept>
#include <utility>

namespace demail {
namespace {

std::size_t pages_for(std::size_t bytes) noexcept {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    return (bytes + page - 1) / page * page;
}

// Wiped pages for the next Secrets that fit into one: to map one and to unmap it takes longer than
// all else that a signature needs here, and stops the other threads. Without a lock, which another
// thread might hold at the moment of a fork.
class SparePages {
  public:
    constexpr SparePages() = default;
    ~SparePages() {
        while (void *page = take())
            ::munmap(page, page_size());
    }
    SparePages(const SparePages &) = delete;
    SparePages &operator=(const SparePages &) = delete;

    static std::size_t page_size() noexcept { return pages_for(1); }
    void *take() noexcept {
        for (auto &place : places_)
            if (void *page = place.exchange(nullptr)) return page;
        return nullptr;
    }
    [[nodiscard]] bool keep(void *page) noexcept {
        for (auto &place : places_) {
            void *none = nullptr;
            if (place.compare_exchange_strong(none, page)) return true;
        }
        return false;
    }

  private:
    std::array<std::atomic<void *>, 8> places_{};
};

constinit SparePages spare_pages;

void *map_pages(std::size_t size) {
    void *pages = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) throw std::bad_alloc();
    ::madvise(pages, size, MADV_DONTDUMP);
    ::madvise(pages, size, MADV_WIPEONFORK);
    return pages;
}

} // namespace

Secret::Secret(std::size_t capacity) {
    if (capacity == 0) return;
    const std::size_t size = pages_for(capacity);
    void *pages = size == SparePages::page_size() ? spare_pages.take() : nullptr;
    if (pages == nullptr) pages = map_pages(size);
    bytes_ = static_cast<char *>(pages);
    capacity_ = capacity;
    locked_ = ::mlock(pages, size) == 0; // a spare page too: a child inherits no lock
}

Secret Secret::copy_of(std::string_view bytes) {
    Secret copy(bytes.size());
    copy.append(bytes);
    return copy;
}

Secret::Secret(Secret &&other) noexcept
    : bytes_(std::exchange(other.bytes_, nullptr)), size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)), locked_(std::exchange(other.locked_, false)) {}

Secret &Secret::operator=(Secret &&other) noexcept {
    if (this == &other) return *this;
    release();
    bytes_ = std::exchange(other.bytes_, nullptr);
    size_ = std::exchange(other.size_, 0);
    capacity_ = std::exchange(other.capacity_, 0);
    locked_ = std::exchange(other.locked_, false);
    return *this;
}

Secret::~Secret() {
    release();
}

void Secret::release() noexcept {
    if (bytes_ == nullptr) return;
    ::explicit_bzero(bytes_, capacity_);
    const std::size_t size = pages_for(capacity_);
    if (size != SparePages::page_size() || !spare_pages.keep(bytes_)) ::munmap(bytes_, size);
    bytes_ = nullptr;
}

void Secret::append(std::string_view bytes) {
    if (bytes.size() > capacity_ - size_) throw std::length_error("secret too long");
    if (!bytes.empty()) std::memcpy(bytes_ + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
}

void Secret::resize(std::size_t size) {
    if (size > capacity_) throw std::length_error("secret too long");
    if (size < size_) ::explicit_bzero(bytes_ + size, size_ - size);
    size_ = size;
}

void Secret::drop_front(std::size_t count) noexcept {
    if (count > size_) count = size_;
    if (count == 0) return;
    std::memmove(bytes_, bytes_ + count, size_ - count);
    ::explicit_bzero(bytes_ + size_ - count, count);
    size_ -= count;
}

void Secret::wipe() noexcept {
    if (bytes_ != nullptr) ::explicit_bzero(bytes_, capacity_);
    size_ = 0;
}

} // namespace demail
