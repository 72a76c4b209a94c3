noinst_LIBRARIES += libdemail-admin.a
libdemail_admin_a_CPPFLAGS = $(AM_CPPFLAGS) $(TOML_CFLAGS) $(FMT_CFLAGS) $(SYSTEMD_CFLAGS)
libdemail_admin_a_SOURCES = \
	milter/admin/account_section.cpp \
	milter/admin/account_section.hpp \
	milter/admin/blocks_file.cpp \
	milter/admin/blocks_file.hpp \
	milter/admin/configuration.cpp \
	milter/admin/configuration.hpp \
	milter/admin/configuration_files.cpp \
	milter/admin/daemon.cpp \
	milter/admin/daemon.hpp \
	milter/admin/directory_section.cpp \
	milter/admin/directory_section.hpp \
	milter/admin/ended_providers_file.cpp \
	milter/admin/ended_providers_file.hpp \
	milter/admin/guarded_file.cpp \
	milter/admin/guarded_file.hpp \
	milter/admin/hints_files.cpp \
	milter/admin/hints_files.hpp \
	milter/admin/hints_section.cpp \
	milter/admin/hints_section.hpp \
	milter/admin/network_list.cpp \
	milter/admin/network_list.hpp \
	milter/admin/seal_key_file.cpp \
	milter/admin/search_filter.cpp \
	milter/admin/search_filter.hpp \
	milter/admin/seal_key_file.hpp \
	milter/admin/senders.cpp \
	milter/admin/senders.hpp \
	milter/admin/senders_file.cpp \
	milter/admin/senders_file.hpp \
	milter/admin/tls_section.cpp \
	milter/admin/tls_section.hpp

ADMIN_TEST_LIBS = libdemail-admin.a libdemail-crypto.a libdemail-message.a libdemail-daemon.a libdemail-base.a \
	$(UNIT_LIBS) $(TOML_LIBS) $(FMT_LIBS) $(SYSTEMD_LIBS) $(IDN_LIBS) $(OPENSSL_LIBS)
UNIT_TESTS += tests/unit/senders_test
tests_unit_senders_test_SOURCES = tests/unit/senders_test.cpp tests/unit/temporary_directory.hpp
tests_unit_senders_test_LDADD = $(ADMIN_TEST_LIBS)
UNIT_TESTS += tests/unit/ended_providers_file_test
tests_unit_ended_providers_file_test_SOURCES = tests/unit/ended_providers_file_test.cpp
tests_unit_ended_providers_file_test_LDADD = $(ADMIN_TEST_LIBS)
UNIT_TESTS += tests/unit/configuration_test tests/unit/configuration_rules_test \
	tests/unit/configuration_files_test tests/unit/daemon_test
tests_unit_configuration_test_SOURCES = tests/unit/configuration_test.cpp \
	tests/unit/configuration_text.hpp
tests_unit_configuration_test_LDADD = $(ADMIN_TEST_LIBS)
tests_unit_configuration_rules_test_SOURCES = tests/unit/configuration_rules_test.cpp \
	tests/unit/configuration_text.hpp
tests_unit_configuration_rules_test_LDADD = $(ADMIN_TEST_LIBS)
UNIT_TESTS += tests/unit/configuration_directory_test
tests_unit_configuration_directory_test_SOURCES = tests/unit/configuration_directory_test.cpp \
	tests/unit/configuration_text.hpp
tests_unit_configuration_directory_test_LDADD = $(ADMIN_TEST_LIBS)
tests_unit_configuration_files_test_SOURCES = tests/unit/configuration_files_test.cpp
tests_unit_configuration_files_test_LDADD = $(ADMIN_TEST_LIBS)
tests_unit_daemon_test_SOURCES = tests/unit/daemon_test.cpp
tests_unit_daemon_test_LDADD = $(ADMIN_TEST_LIBS)
