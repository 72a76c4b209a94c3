noinst_LIBRARIES += libdemail-directory.a
libdemail_directory_a_CPPFLAGS = $(AM_CPPFLAGS) $(LDAP_CFLAGS) $(FMT_CFLAGS)
libdemail_directory_a_SOURCES = \
	milter/directory/entry_rules.cpp \
	milter/directory/entry_rules.hpp \
	milter/directory/hints.cpp \
	milter/directory/hints.hpp \
	milter/directory/ldap_search.cpp \
	milter/directory/ldap_search.hpp \
	milter/directory/output_file.cpp \
	milter/directory/output_file.hpp
EXTRA_DIST += milter/directory/README.md

DIRECTORY_TEST_LIBS = libdemail-directory.a $(ADMIN_TEST_LIBS) $(DNS_LIBS)
UNIT_TESTS += tests/unit/directory_test tests/unit/hints_test
tests_unit_hints_test_SOURCES = tests/unit/hints_test.cpp tests/unit/configuration_text.hpp \
	tests/unit/temporary_directory.hpp
tests_unit_hints_test_LDADD = $(DIRECTORY_TEST_LIBS)
tests_unit_directory_test_SOURCES = tests/unit/directory_test.cpp \
	tests/unit/temporary_directory.hpp
tests_unit_directory_test_LDADD = $(DIRECTORY_TEST_LIBS) $(LDAP_LIBS)
