// The project's asserts on top of cmocka. cmocka's own jump past destructors, and an escaping
// exception would end the program: here CHECK throws, the runner catches, and cmocka hears of it
// when no C++ object is alive.
//
//     static void address_loses_its_trailing_dot() { CHECK_EQUAL(parse("a@b.").str(), "a@b"); }
//     int main() { return demail::test::run("address", {TEST(address_loses_its_trailing_dot)}); }
#pragma once

#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>
extern "C" {
#include <cmocka.h>
}

namespace demail::test {

struct Failure {
    std::string text;
    const char *file;
    int line;
};

using Body = void (*)();
struct Case {
    const char *name;
    Body body;
};

template <typename T>
std::string shown(const T &value) {
    if constexpr (requires(std::ostream & out) { out << value; }) {
        std::ostringstream out;
        out << std::boolalpha << value;
        return out.str();
    } else {
        return "(a value that cannot be printed)";
    }
}

template <typename A, typename B>
void check_equal(const A &actual, const B &expected, const char *expression, const char *file,
                 int line) {
    if (actual == expected) return;
    throw Failure{std::string(expression) + "\n  is       " + shown(actual) + "\n  expected " +
                      shown(expected),
                  file, line};
}

inline void run_case(void **state) {
    static char text[4096];
    const char *file = nullptr;
    int line = 0;
    const auto body = reinterpret_cast<Body>(*state);
    try {
        body();
    } catch (const Failure &failure) {
        std::snprintf(text, sizeof text, "%s", failure.text.c_str());
        file = failure.file;
        line = failure.line;
    } catch (const std::exception &error) {
        std::snprintf(text, sizeof text, "unexpected exception: %s", error.what());
        file = "?";
    } catch (...) {
        std::snprintf(text, sizeof text, "unexpected exception");
        file = "?";
    }
    if (file != nullptr) _assert_true(0, text, file, line);
}

inline int run(const char *group, const std::vector<Case> &cases) {
    std::vector<CMUnitTest> tests;
    for (const Case &one : cases)
        tests.push_back({one.name, run_case, nullptr, nullptr, reinterpret_cast<void *>(one.body)});
    return _cmocka_run_group_tests(group, tests.data(), tests.size(), nullptr, nullptr);
}

} // namespace demail::test

#define TEST(function) (::demail::test::Case{#function, function})
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) throw ::demail::test::Failure{#condition, __FILE__, __LINE__};           \
    } while (false)
#define CHECK_EQUAL(actual, expected)                                                              \
    ::demail::test::check_equal((actual), (expected), #actual, __FILE__, __LINE__)
#define CHECK_THROWS(expression, exception)                                                        \
    do {                                                                                           \
        bool thrown = false;                                                                       \
        try {                                                                                      \
            (void)(expression);                                                                    \
        } catch (const exception &) {                                                              \
            thrown = true;                                                                         \
        }                                                                                          \
        if (!thrown)                                                                               \
            throw ::demail::test::Failure{#expression " throws " #exception, __FILE__, __LINE__};  \
    } while (false)
