#include "check.hpp"
#include "filter_fixture.hpp"

#include <fstream>

using namespace demail;
using namespace demail::filter;

namespace {

struct Host {
    test::TemporaryDirectory directory;
    Configuration configuration;

    explicit Host(const std::string &key_file) {
        configuration.seal_key_file = directory.path() + "/seal.key";
        configuration.domains = directory.path() + "/domains";
        std::ofstream(configuration.seal_key_file) << key_file;
    }
    [[nodiscard]] std::string fault() const {
        const auto made = make_settings(configuration, nullptr);
        const auto *sentence = std::get_if<std::string>(&made);
        return sentence == nullptr ? "" : *sentence;
    }
    [[nodiscard]] std::shared_ptr<const Settings> made(const Settings *previous = nullptr) const {
        return std::get<0>(make_settings(configuration, previous));
    }
};

const std::string good_key = "k1 " + std::string(64, 'a') + "\n";

} // namespace

static void the_first_key_seals() {
    CHECK_EQUAL(Host(good_key).made()->keys.sealing().id(), "k1");
}

static void a_key_file_that_is_none_is_named() {
    const Host host("k1 too-short\n");
    CHECK(host.fault().find(host.configuration.seal_key_file) != std::string::npos);
    CHECK(!Host("").fault().empty());
    CHECK(!Host(std::string(70000, '#')).fault().empty());
}

static void a_missing_key_file_is_named() {
    Host host(good_key);
    host.configuration.seal_key_file += ".not";
    CHECK(host.fault().find(host.configuration.seal_key_file) != std::string::npos);
}

static void a_reload_keeps_the_last_good_list() {
    Host host(good_key);
    const auto first = host.made();
    CHECK(host.made(first.get())->domains == first->domains);
    host.configuration.domains += ".other";
    CHECK(host.made(first.get())->domains != first->domains);
}

static void policy_and_mode_are_taken_over() {
    Host host(good_key);
    CHECK(!host.made()->observe && !host.made()->refuse_mixed_recipients);
    host.configuration.observe = true;
    host.configuration.refuse_mixed_recipients = true;
    CHECK(host.made()->observe && host.made()->refuse_mixed_recipients);
}

int main() {
    return test::run("filter_settings",
                     {TEST(the_first_key_seals), TEST(a_key_file_that_is_none_is_named),
                      TEST(a_missing_key_file_is_named), TEST(a_reload_keeps_the_last_good_list),
                      TEST(policy_and_mode_are_taken_over)});
}
