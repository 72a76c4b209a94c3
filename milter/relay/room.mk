noinst_LIBRARIES += libdemail-relay.a
libdemail_relay_a_CPPFLAGS = $(AM_CPPFLAGS) $(PSL_CFLAGS) $(CURL_CFLAGS)
libdemail_relay_a_SOURCES = \
	milter/relay/account.cpp \
	milter/relay/account.hpp \
	milter/relay/admission.cpp \
	milter/relay/admission.hpp \
	milter/relay/attempt.cpp \
	milter/relay/attempt.hpp \
	milter/relay/breaker.cpp \
	milter/relay/breaker.hpp \
	milter/relay/command.cpp \
	milter/relay/command.hpp \
	milter/relay/domain_files.cpp \
	milter/relay/domain_files.hpp \
	milter/relay/domain_keeper.cpp \
	milter/relay/domain_keeper.hpp \
	milter/relay/domain_questions.cpp \
	milter/relay/domain_questions.hpp \
	milter/relay/domain_rules.cpp \
	milter/relay/domain_rules.hpp \
	milter/relay/domain_tables.cpp \
	milter/relay/domain_tables.hpp \
	milter/relay/given_up.cpp \
	milter/relay/given_up.hpp \
	milter/relay/interrupted.cpp \
	milter/relay/interrupted.hpp \
	milter/relay/incoming_message.cpp \
	milter/relay/incoming_message.hpp \
	milter/relay/obstacle.cpp \
	milter/relay/obstacle.hpp \
	milter/relay/outcome.cpp \
	milter/relay/outcome.hpp \
	milter/relay/postfix_mail.cpp \
	milter/relay/postfix_mail.hpp \
	milter/relay/recipient_lookups.cpp \
	milter/relay/recipient_lookups.hpp \
	milter/relay/sender_notice.cpp \
	milter/relay/sender_notice.hpp \
	milter/relay/service.cpp \
	milter/relay/service.hpp \
	milter/relay/settings.cpp \
	milter/relay/settings.hpp \
	milter/relay/spool_file.cpp \
	milter/relay/spool_file.hpp \
	milter/relay/submitter.cpp \
	milter/relay/submitter.hpp
RELAY_LIBS = $(DNS_LIBS) $(PSL_LIBS)

RELAY_TEST_LIBS = libdemail-relay.a libdemail-admin.a libdemail-soap.a libdemail-lmtp.a \
	libdemail-journal.a libdemail-crypto.a libdemail-message.a libdemail-daemon.a libdemail-base.a \
	$(UNIT_LIBS) $(RELAY_LIBS) $(JOURNAL_LIBS) $(CURL_LIBS) $(XML_LIBS) $(TOML_LIBS) $(IDN_LIBS) \
	$(FMT_LIBS) $(SYSTEMD_LIBS) $(OPENSSL_LIBS) -ldl
UNIT_TESTS += tests/unit/submitter_test tests/unit/admission_test
tests_unit_submitter_test_SOURCES = tests/unit/submitter_test.cpp tests/unit/relay_fixture.hpp \
	tests/unit/temporary_directory.hpp
tests_unit_submitter_test_LDADD = $(RELAY_TEST_LIBS)
tests_unit_admission_test_SOURCES = tests/unit/admission_test.cpp
tests_unit_admission_test_LDADD = $(RELAY_TEST_LIBS)
UNIT_TESTS += tests/unit/held_back_test
tests_unit_held_back_test_SOURCES = tests/unit/held_back_test.cpp tests/unit/relay_fixture.hpp \
	tests/unit/temporary_directory.hpp
tests_unit_held_back_test_LDADD = $(RELAY_TEST_LIBS)
UNIT_TESTS += tests/unit/obstacle_test
tests_unit_obstacle_test_SOURCES = tests/unit/obstacle_test.cpp tests/unit/relay_fixture.hpp \
	tests/unit/temporary_directory.hpp
tests_unit_obstacle_test_LDADD = $(RELAY_TEST_LIBS)
UNIT_TESTS += tests/unit/outcome_test
tests_unit_outcome_test_SOURCES = tests/unit/outcome_test.cpp
tests_unit_outcome_test_LDADD = $(RELAY_TEST_LIBS)
UNIT_TESTS += tests/unit/domain_rules_test tests/unit/domain_files_test
tests_unit_domain_rules_test_SOURCES = tests/unit/domain_rules_test.cpp
tests_unit_domain_rules_test_LDADD = $(RELAY_TEST_LIBS)
tests_unit_domain_files_test_SOURCES = tests/unit/domain_files_test.cpp
tests_unit_domain_files_test_LDADD = $(RELAY_TEST_LIBS)
UNIT_TESTS += tests/unit/interrupted_test
tests_unit_interrupted_test_SOURCES = tests/unit/interrupted_test.cpp $(JOURNAL_TEST_SOURCES)
tests_unit_interrupted_test_CPPFLAGS = $(AM_CPPFLAGS) $(PQ_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_interrupted_test_LDADD = libdemail-relay.a $(JOURNAL_TEST_LIBS)
UNIT_TESTS += tests/unit/given_up_test
tests_unit_given_up_test_SOURCES = tests/unit/given_up_test.cpp tests/unit/relay_fixture.hpp \
	tests/unit/temporary_directory.hpp
tests_unit_given_up_test_LDADD = $(RELAY_TEST_LIBS)
UNIT_TESTS += tests/unit/breaker_test
tests_unit_breaker_test_SOURCES = tests/unit/breaker_test.cpp tests/unit/relay_fixture.hpp \
	tests/unit/temporary_directory.hpp
tests_unit_breaker_test_LDADD = $(RELAY_TEST_LIBS)
