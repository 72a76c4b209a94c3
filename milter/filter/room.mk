noinst_LIBRARIES += libdemail-filter.a
libdemail_filter_a_CPPFLAGS = $(AM_CPPFLAGS) $(FMT_CFLAGS)
libdemail_filter_a_SOURCES = \
	milter/filter/author.cpp \
	milter/filter/author.hpp \
	milter/filter/automatic.cpp \
	milter/filter/automatic.hpp \
	milter/filter/domain_list.cpp \
	milter/filter/domain_list.hpp \
	milter/filter/events.cpp \
	milter/filter/events.hpp \
	milter/filter/firewall.cpp \
	milter/filter/firewall.hpp \
	milter/filter/listener.cpp \
	milter/filter/listener.hpp \
	milter/filter/macro_guard.cpp \
	milter/filter/macro_guard.hpp \
	milter/filter/milter_callbacks.cpp \
	milter/filter/milter_callbacks.hpp \
	milter/filter/negotiation.hpp \
	milter/filter/options_asked.cpp \
	milter/filter/options_asked.hpp \
	milter/filter/recipient.cpp \
	milter/filter/recipient.hpp \
	milter/filter/reply_text.cpp \
	milter/filter/reply_text.hpp \
	milter/filter/session.cpp \
	milter/filter/session.hpp \
	milter/filter/settings.cpp \
	milter/filter/settings.hpp \
	milter/filter/subject_flags.cpp \
	milter/filter/subject_flags.hpp

FILTER_TEST_LIBS = libdemail-filter.a libdemail-admin.a libdemail-message.a libdemail-base.a \
	$(UNIT_LIBS) $(FMT_LIBS) $(SYSTEMD_LIBS) $(OPENSSL_LIBS) $(IDN_LIBS)

UNIT_TESTS += tests/unit/filter_blocks_test
tests_unit_filter_blocks_test_SOURCES = tests/unit/filter_blocks_test.cpp tests/unit/filter_fixture.hpp
tests_unit_filter_blocks_test_LDADD = $(FILTER_TEST_LIBS)

UNIT_TESTS += tests/unit/filter_firewall_test
tests_unit_filter_firewall_test_SOURCES = tests/unit/filter_firewall_test.cpp
tests_unit_filter_firewall_test_LDADD = $(FILTER_TEST_LIBS)

UNIT_TESTS += tests/unit/filter_recipient_test
tests_unit_filter_recipient_test_SOURCES = tests/unit/filter_recipient_test.cpp
tests_unit_filter_recipient_test_LDADD = $(FILTER_TEST_LIBS)

UNIT_TESTS += tests/unit/filter_domain_list_test
tests_unit_filter_domain_list_test_SOURCES = tests/unit/filter_domain_list_test.cpp tests/unit/filter_fixture.hpp
tests_unit_filter_domain_list_test_LDADD = $(FILTER_TEST_LIBS)

UNIT_TESTS += tests/unit/filter_rights_test
tests_unit_filter_rights_test_SOURCES = tests/unit/filter_rights_test.cpp tests/unit/filter_fixture.hpp
tests_unit_filter_rights_test_LDADD = $(FILTER_TEST_LIBS)
UNIT_TESTS += tests/unit/filter_reinjection_test
tests_unit_filter_reinjection_test_SOURCES = tests/unit/filter_reinjection_test.cpp \
	tests/unit/filter_fixture.hpp
tests_unit_filter_reinjection_test_LDADD = $(FILTER_TEST_LIBS)
UNIT_TESTS += tests/unit/filter_session_test
tests_unit_filter_session_test_SOURCES = tests/unit/filter_session_test.cpp tests/unit/filter_fixture.hpp
tests_unit_filter_session_test_LDADD = $(FILTER_TEST_LIBS)

UNIT_TESTS += tests/unit/filter_refusals_test
tests_unit_filter_refusals_test_SOURCES = tests/unit/filter_refusals_test.cpp tests/unit/filter_fixture.hpp
tests_unit_filter_refusals_test_LDADD = $(FILTER_TEST_LIBS)

UNIT_TESTS += tests/unit/filter_header_test
tests_unit_filter_header_test_SOURCES = tests/unit/filter_header_test.cpp tests/unit/filter_fixture.hpp
tests_unit_filter_header_test_LDADD = $(FILTER_TEST_LIBS)

UNIT_TESTS += tests/unit/filter_automatic_test
tests_unit_filter_automatic_test_SOURCES = tests/unit/filter_automatic_test.cpp tests/unit/filter_fixture.hpp
tests_unit_filter_automatic_test_LDADD = $(FILTER_TEST_LIBS)

UNIT_TESTS += tests/unit/filter_subject_flags_test
tests_unit_filter_subject_flags_test_SOURCES = tests/unit/filter_subject_flags_test.cpp tests/unit/filter_fixture.hpp
tests_unit_filter_subject_flags_test_LDADD = $(FILTER_TEST_LIBS)

UNIT_TESTS += tests/unit/milter_sessions_test
tests_unit_milter_sessions_test_SOURCES = tests/unit/milter_sessions_test.cpp tests/unit/filter_fixture.hpp \
	tests/unit/milter_script.cpp tests/unit/milter_script.hpp
tests_unit_milter_sessions_test_LDADD = libdemail-filter.a $(ADMIN_TEST_LIBS) $(MILTER_LIBS)

# A million sessions, another choice each time.
soak: soak-sessions
soak-sessions: tests/unit/milter_sessions_test
	DEMAIL_SESSIONS=$${DEMAIL_SESSIONS-1000000} DEMAIL_SEED=$${DEMAIL_SEED-$$(date +%s%N)} $<
.PHONY: soak-sessions

UNIT_TESTS += tests/unit/filter_settings_test
tests_unit_filter_settings_test_SOURCES = tests/unit/filter_settings_test.cpp tests/unit/filter_fixture.hpp
tests_unit_filter_settings_test_LDADD = libdemail-filter.a $(ADMIN_TEST_LIBS)

EXTRA_DIST += milter/filter/README.md tests/e2e/milter_peer.py tests/e2e/test_milter_protocol.py
