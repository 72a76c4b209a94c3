// What tells one state of a file from another without reading it. Thread-safe.
#pragma once

#include <sys/stat.h>

#include <string>

namespace demail {

struct FileStamp {
    bool there = false;
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = 0;
    time_t seconds = 0;
    long nanoseconds = 0;
    time_t changed = 0; ///< of the inode: its mode and owner too
    long changed_nanoseconds = 0;

    static FileStamp of(const struct stat &status) noexcept {
        return {true,
                status.st_dev,
                status.st_ino,
                status.st_size,
                status.st_mtim.tv_sec,
                status.st_mtim.tv_nsec,
                status.st_ctim.tv_sec,
                status.st_ctim.tv_nsec};
    }
    static FileStamp of(const std::string &path) {
        struct stat status {};
        return ::stat(path.c_str(), &status) == 0 ? of(status) : FileStamp{};
    }
    friend bool operator==(const FileStamp &, const FileStamp &) = default;
};

} // namespace demail
