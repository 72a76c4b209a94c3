// Feeds every file of tests/fuzz/corpus to its target: what fuzzing has found once stays found,
// with any compiler. Usage: corpus_test [TARGET FILE…]
#include "fuzz.hpp"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace demail::fuzz;

// For the signal handler: which file it was.
char current[4096];

void name_file(int) {
    constexpr std::string_view text = "with the input ";
    (void)!::write(STDERR_FILENO, text.data(), text.size());
    (void)!::write(STDERR_FILENO, current, std::char_traits<char>::length(current));
    (void)!::write(STDERR_FILENO, "\n", 1);
}

void feed(Target *target, const std::string &file) {
    std::ifstream in(file, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    std::snprintf(current, sizeof current, "%s", file.c_str());
    target(bytes);
}

int feed_corpus() {
    const char *source = std::getenv("SRCDIR");
    const std::string corpus =
        std::string(source != nullptr ? source : ".") + "/tests/fuzz/corpus/";
    std::size_t fed = 0;
    bool all = true;
    for (const auto &[name, target] : targets()) {
        // The empty input has no file.
        target({});
        std::error_code none;
        std::vector<std::string> files;
        for (const auto &entry :
             std::filesystem::directory_iterator(corpus + std::string(name), none))
            files.push_back(entry.path().string());
        std::sort(files.begin(), files.end());
        for (const std::string &file : files)
            feed(target, file);
        if (files.empty()) {
            std::printf("%s has no corpus\n", std::string(name).c_str());
            all = false;
        }
        fed += files.size();
    }
    std::printf("%zu inputs, %zu targets\n", fed, targets().size());
    return all ? 0 : 1;
}

} // namespace

int main(int count, char **arguments) {
    std::signal(SIGABRT, name_file);
    if (count == 1) return feed_corpus();
    const auto found = targets().find(arguments[1]);
    if (found == targets().end()) return 64;
    for (int i = 2; i < count; ++i)
        feed(found->second, arguments[i]);
    return 0;
}
