// The list's files with Postfix's real postmap: a name enters the index before the text and leaves
// the text before the index.
#include "base/file.hpp"
#include "check.hpp"
#include "relay/command.hpp"
#include "relay/domain_files.hpp"
#include "relay/domain_tables.hpp"
#include "temporary_directory.hpp"

using namespace demail;
using namespace demail::relay;

namespace {

struct List {
    test::TemporaryDirectory directory;
    std::string path = directory.path() + "/domains";
    std::string postfix = directory.path() + "/postfix";
    List() {
        std::filesystem::create_directory(postfix);
        replace_file(postfix + "/main.cf", "default_database_type = hash\nsmtputf8_enable = yes\n",
                     0644);
        replace_file(postfix + "/master.cf", "", 0644);
    }
    [[nodiscard]] bool indexed(const std::string &domain) const {
        return run_command({"postmap", "-c", postfix, "-q", domain, "hash:" + path}).exit_status ==
               0;
    }
    [[nodiscard]] bool written(const std::string &domain) const {
        const auto list = DomainSet::parse(read_file(path).value_or(""));
        return list->all().contains(domain);
    }
};

DomainSet with(const std::string &domain) {
    DomainSet set;
    set.set(domain, DomainState::active);
    return set;
}

void a_name_is_indexed_before_the_milter_sees_it() {
    List list;
    DomainFiles files(list.path, list.postfix);
    files.publish(DomainSet{}, [] { return true; });
    CHECK(list.indexed("de-mail.de"));
    CHECK(list.indexed(".de-mail.de"));
    int pauses = 0;
    files.publish(with("firm.example"), [&] {
        ++pauses;
        CHECK(list.indexed("firm.example"));
        CHECK(!list.written("firm.example"));
        return true;
    });
    CHECK_EQUAL(pauses, 1);
    CHECK(list.written("firm.example"));
}

void a_name_leaves_the_text_before_the_index() {
    List list;
    DomainFiles files(list.path, list.postfix);
    files.publish(with("firm.example"), [] { return true; });
    int pauses = 0;
    files.publish(DomainSet{}, [&] {
        if (++pauses == 1) CHECK(list.indexed("firm.example"));
        CHECK(!list.written("firm.example"));
        return true;
    });
    CHECK(pauses > 0);
    CHECK(!list.indexed("firm.example"));
    CHECK(!list.written("firm.example"));
}

/// As long as Postfix may still look into the old index, the milter shall answer 4xx, not let the
/// message go unsealed to a relay that refuses it.
void the_milter_learns_last_that_a_name_is_gone() {
    List list;
    DomainFiles files(list.path, list.postfix);
    files.publish(with("firm.example"), [] { return true; });
    const auto known_as_indexed = [&] {
        return read_file(list.path + ".indexed")->find("firm.example") != std::string::npos;
    };
    int pauses = 0;
    files.publish(DomainSet{}, [&] {
        ++pauses;
        CHECK(known_as_indexed());
        CHECK_EQUAL(list.indexed("firm.example"), pauses == 1);
        return true;
    });
    CHECK_EQUAL(pauses, 2);
    CHECK(!known_as_indexed());
}

/// Else the name that comes back would be in the text alone, and its mail go to the Internet.
void an_end_while_a_name_goes_leaves_no_wrong_idea_of_the_index() {
    List list;
    DomainFiles files(list.path, list.postfix);
    files.publish(with("firm.example"), [] { return true; });
    int pauses = 0;
    files.publish(DomainSet{}, [&] { return ++pauses < 2; });
    CHECK(!list.indexed("firm.example"));
    DomainFiles(list.path, list.postfix).publish(with("firm.example"), [&] {
        CHECK(list.indexed("firm.example"));
        return true;
    });
    CHECK(list.indexed("firm.example"));
    CHECK(list.written("firm.example"));
}

void an_end_in_between_is_carried_on() {
    List list;
    DomainFiles files(list.path, list.postfix);
    files.publish(DomainSet{}, [] { return true; });
    files.publish(with("firm.example"), [] { return false; }); // the relay ends here
    CHECK(list.indexed("firm.example"));
    CHECK(!list.written("firm.example"));
    DomainFiles(list.path, list.postfix).publish(with("firm.example"), [] { return true; });
    CHECK(list.written("firm.example"));
}

void a_lost_index_is_made_again() {
    List list;
    DomainFiles files(list.path, list.postfix);
    files.publish(with("firm.example"), [] { return true; });
    std::filesystem::remove(list.path + ".db");
    files.publish(with("firm.example"), [] { return true; });
    CHECK(list.indexed("firm.example"));
}

void nothing_is_written_where_nothing_changed() {
    List list;
    DomainFiles files(list.path, list.postfix);
    files.publish(with("firm.example"), [] { return true; });
    const auto before = std::filesystem::last_write_time(list.path + ".db");
    files.publish(with("firm.example"), [] {
        throw std::runtime_error("no pause is needed");
        return true;
    });
    CHECK(std::filesystem::last_write_time(list.path + ".db") == before);
}

void the_text_is_not_younger_than_the_index() {
    List list;
    DomainFiles files(list.path, list.postfix);
    files.publish(with("firm.example"), [] { return true; });
    CHECK(std::filesystem::last_write_time(list.path) <=
          std::filesystem::last_write_time(list.path + ".db"));
}

void a_lost_table_of_hidden_ways_is_made_again() {
    List list;
    DomainFiles files(list.path, list.postfix);
    files.publish(with("firm.example"), [] { return true; });
    std::filesystem::remove(list.path + ".hidden");
    DomainFiles(list.path, list.postfix).publish(with("firm.example"), [] { return true; });
    CHECK_EQUAL(read_file(list.path + ".hidden").value_or(""), hidden_text(with("firm.example")));
}

/// Postfix looks a domain up as it is written.
void an_idn_is_indexed_in_each_of_its_spellings() {
    List list;
    DomainFiles files(list.path, list.postfix);
    files.publish(with("xn--bcher-kva.xn--mller-kva.example"), [] { return true; });
    for (const char *spelling :
         {"xn--bcher-kva.xn--mller-kva.example", "bücher.xn--mller-kva.example",
          "xn--bcher-kva.müller.example", "bücher.müller.example", "BÜCHER.MÜLLER.example"})
        CHECK(list.indexed(spelling));
    CHECK(!list.written("bücher.müller.example"));
}

struct Refusing {
    const char *address;
    bool refused;
};

void a_way_to_a_domain_in_a_local_part_is_refused_and_no_other() {
    List list;
    DomainSet domains = with("firm.example");
    domains.set(".wide.example", DomainState::ended);
    domains.set("xn--mller-kva.example", DomainState::active);
    DomainFiles files(list.path, list.postfix);
    files.publish(domains, [] { return true; });
    for (const auto &[address, refused] : {
             Refusing{"u%firm.example@a.example", true},
             {"u@firm.example@a.example", true},
             {"firm.example!u@a.example", true},
             {"FIRM.example.!u@a.example", true},
             {"u%a.wide.example@a.example", true},
             {"u%müller.example@a.example", true},
             {"u%xn--mller-kva.example%b@a.example", true},
             {"u%xfirm.example@a.example", false},
             {"u%firmxexample@a.example", false},
             {"u%sub.firm.example@a.example", false},
             {"u%firm.example.org@a.example", false},
             {"u%wide.example@a.example", false},
             {"b+u=firm.example@a.example", false},
             {"u@firm.example", false},
         }) {
        const bool found = run_command({"postmap", "-c", list.postfix, "-q", address,
                                        "regexp:" + list.path + ".hidden"})
                               .exit_status == 0;
        CHECK_EQUAL(address + std::string(found ? " refused" : " passes"),
                    address + std::string(refused ? " refused" : " passes"));
    }
}

void a_damaged_list_is_not_taken_for_a_short_one() {
    List list;
    replace_file(list.path, "what is this\n", 0644);
    DomainFiles files(list.path, list.postfix);
    CHECK_THROWS(files.current(), std::runtime_error);
    replace_file(list.path + ".memory", "what is this\n", 0644);
    CHECK_THROWS(files.memory(), std::runtime_error);
}

} // namespace

int main() {
    return test::run("domain files",
                     {
                         TEST(a_name_is_indexed_before_the_milter_sees_it),
                         TEST(a_name_leaves_the_text_before_the_index),
                         TEST(the_milter_learns_last_that_a_name_is_gone),
                         TEST(an_end_while_a_name_goes_leaves_no_wrong_idea_of_the_index),
                         TEST(an_end_in_between_is_carried_on),
                         TEST(a_lost_index_is_made_again),
                         TEST(nothing_is_written_where_nothing_changed),
                         TEST(the_text_is_not_younger_than_the_index),
                         TEST(a_lost_table_of_hidden_ways_is_made_again),
                         TEST(an_idn_is_indexed_in_each_of_its_spellings),
                         TEST(a_way_to_a_domain_in_a_local_part_is_refused_and_no_other),
                         TEST(a_damaged_list_is_not_taken_for_a_short_one),
                     });
}
