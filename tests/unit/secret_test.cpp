// Memory for PINs.
#include "base/secret.hpp"
#include "check.hpp"
#include "own_memory.hpp"

#include <sys/wait.h>

#include <algorithm>

using demail::Secret;
using namespace demail::test;

namespace {

void its_pages_are_locked_left_out_of_cores_and_wiped_on_fork() {
    if (sanitized) return;
    const Secret secret = Secret::copy_of("135790");
    const std::string flags = page_flags(secret.view().data());
    CHECK(secret.locked());
    for (const char *flag : {" lo ", " dd ", " wf "})
        CHECK(flags.find(flag) != std::string::npos);
}

void a_child_finds_nothing_in_it() {
    const Secret secret = Secret::copy_of("135790");
    const pid_t child = ::fork();
    if (child == 0) {
        const std::string_view seen = secret.view();
        ::_exit(std::all_of(seen.begin(), seen.end(), [](char c) { return c == '\0'; }) ? 0 : 1);
    }
    int status = -1;
    CHECK_EQUAL(::waitpid(child, &status, 0), child);
    CHECK_EQUAL(status, 0);
    CHECK_EQUAL(secret.view(), "135790");
}

void it_is_nowhere_once_it_has_ended() {
    if (sanitized) return;
    const Secret pattern = random_digits(24);
    const std::string_view bytes = pattern.view();
    CHECK_EQUAL(copies_in_memory(bytes), 1);
    {
        const Secret copy = Secret::copy_of(bytes);
        CHECK_EQUAL(copies_in_memory(bytes), 2);
    }
    CHECK_EQUAL(copies_in_memory(bytes), 1);
    {
        Secret copy = Secret::copy_of(bytes);
        Secret moved = std::move(copy);
        CHECK_EQUAL(copies_in_memory(bytes), 2);
        moved = Secret();
        CHECK_EQUAL(copies_in_memory(bytes), 1);
        Secret wiped = Secret::copy_of(bytes);
        wiped.wipe();
        CHECK_EQUAL(copies_in_memory(bytes), 1);
        Secret shorter = Secret::copy_of(bytes);
        shorter.resize(4);
        CHECK_EQUAL(copies_in_memory(bytes), 1);
    }
}

void the_next_one_may_have_its_pages_and_finds_them_empty() {
    const char *before = nullptr;
    {
        const Secret secret = Secret::copy_of("135790");
        before = secret.view().data();
    }
    Secret next(6);
    CHECK(next.data() == before);
    next.resize(6);
    CHECK_EQUAL(next.view(), std::string(6, '\0'));
    if (sanitized) return;
    const std::string flags = page_flags(next.view().data());
    for (const char *flag : {" lo ", " dd ", " wf "})
        CHECK(flags.find(flag) != std::string::npos);
}

void a_child_locks_the_pages_that_it_finds_spare() {
    if (sanitized) return;
    static_cast<void>(Secret::copy_of("135790"));
    const pid_t child = ::fork();
    if (child == 0) {
        const Secret secret = Secret::copy_of("135790");
        const std::string flags = page_flags(secret.view().data());
        const bool good =
            secret.locked() && secret.view() == "135790" && flags.find(" lo ") != std::string::npos;
        ::_exit(good ? 0 : 1);
    }
    int status = -1;
    CHECK_EQUAL(::waitpid(child, &status, 0), child);
    CHECK_EQUAL(status, 0);
}

void it_never_grows() {
    Secret secret(6);
    secret.append("13579");
    CHECK_THROWS(secret.append("02"), std::length_error);
    CHECK_THROWS(secret.resize(7), std::length_error);
    CHECK_EQUAL(secret.view(), "13579");
    CHECK_THROWS(Secret().append("1"), std::length_error);
}

void its_front_is_dropped() {
    Secret secret = Secret::copy_of("0213579");
    secret.drop_front(2);
    CHECK_EQUAL(secret.view(), "13579");
    secret.drop_front(9);
    CHECK(secret.empty());
}

} // namespace

int main(int, char **arguments) {
    bind_all_now(arguments);
    return run("secret", {TEST(its_pages_are_locked_left_out_of_cores_and_wiped_on_fork),
                          TEST(a_child_finds_nothing_in_it), TEST(it_is_nowhere_once_it_has_ended),
                          TEST(the_next_one_may_have_its_pages_and_finds_them_empty),
                          TEST(a_child_locks_the_pages_that_it_finds_spare), TEST(it_never_grows),
                          TEST(its_front_is_dropped)});
}
