#include "check.hpp"
#include "message/options.hpp"

using namespace demail;

static void options_are_written_in_the_order_of_the_guideline() {
    OptionSet set;
    CHECK(set.empty());
    CHECK_EQUAL(set.str(), "");
    for (const Option option :
         {Option::personal, Option::authoritative, Option::confirmation_of_retrieve,
          Option::confirmation_of_receipt, Option::confirmation_of_dispatch})
        set.set(option);
    CHECK_EQUAL(set.str(), "confirmation-of-dispatch,confirmation-of-receipt,"
                           "confirmation-of-retrieve,authoritative,private");
}

static void what_is_written_is_read_again() {
    for (unsigned bits = 0; bits < 32; ++bits) {
        OptionSet set;
        for (unsigned i = 0; i < all_options.size(); ++i)
            set.set(all_options.at(i), (bits >> i & 1U) != 0);
        const auto read = OptionSet::parse(set.str());
        CHECK(read.has_value());
        CHECK(*read == set);
    }
}

static void any_other_text_is_no_set_of_options() {
    for (const char *text :
         {",", "private,", ",private", "private,private", "private,authoritative", "Private",
          " private", "private ", "personal", "private;authoritative", "authoritative,,private",
          "x-de-mail-private", "yes"})
        CHECK(!OptionSet::parse(text));
}

static void an_option_is_named_as_its_field_is() {
    for (const Option option : all_options)
        CHECK(option_named(name(option)) == option);
    CHECK(option_named("private") == Option::personal);
    CHECK(!option_named(""));
    CHECK(!option_named("x-de-mail-private"));
}

static void an_option_can_be_taken_back() {
    OptionSet set;
    set.set(Option::personal);
    set.set(Option::personal, false);
    CHECK(!set.has(Option::personal));
    CHECK(set == OptionSet());
}

int main() {
    return demail::test::run(
        "options", {TEST(options_are_written_in_the_order_of_the_guideline),
                    TEST(what_is_written_is_read_again), TEST(any_other_text_is_no_set_of_options),
                    TEST(an_option_is_named_as_its_field_is), TEST(an_option_can_be_taken_back)});
}
