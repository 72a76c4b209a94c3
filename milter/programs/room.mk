# The mains. LIBS of a program: rooms from the top of the house to the ground, then libraries.

ROOMS_RELAY = libdemail-relay.a libdemail-admin.a libdemail-lmtp.a libdemail-soap.a \
	libdemail-journal.a libdemail-crypto.a libdemail-message.a libdemail-daemon.a libdemail-base.a
LIBS_RELAY = $(RELAY_LIBS) $(JOURNAL_LIBS) $(CURL_LIBS) $(XML_LIBS) $(TOML_LIBS) $(IDN_LIBS) \
	$(FMT_LIBS) $(SYSTEMD_LIBS) $(OPENSSL_LIBS) -ldl

sbin_PROGRAMS += demail-relay
HISTORY_SOURCES = \
	milter/programs/history_answers.cpp \
	milter/programs/history_answers.hpp \
	milter/programs/history_clues.cpp \
	milter/programs/history_clues.hpp \
	milter/programs/history_next.cpp \
	milter/programs/history_time.cpp \
	milter/programs/history_time.hpp
demail_relay_SOURCES = $(HISTORY_SOURCES) \
	milter/programs/demail-relay.cpp \
	milter/programs/relay_control.cpp \
	milter/programs/relay_control.hpp
demail_relay_LDADD = $(ROOMS_RELAY) $(LIBS_RELAY)

sbin_PROGRAMS += demail-milter
demail_milter_SOURCES = milter/programs/demail-milter.cpp
demail_milter_LDADD = libdemail-filter.a libdemail-admin.a libdemail-crypto.a libdemail-message.a \
	libdemail-daemon.a libdemail-base.a $(MILTER_LIBS) $(TOML_LIBS) $(IDN_LIBS) $(FMT_LIBS) $(SYSTEMD_LIBS) \
	$(OPENSSL_LIBS) -ldl

sbin_PROGRAMS += demail-directory
demail_directory_SOURCES = milter/programs/demail-directory.cpp
demail_directory_LDADD = libdemail-directory.a libdemail-admin.a libdemail-crypto.a libdemail-message.a \
	libdemail-daemon.a libdemail-base.a $(DNS_LIBS) $(LDAP_LIBS) $(TOML_LIBS) $(IDN_LIBS) $(FMT_LIBS) $(SYSTEMD_LIBS) \
	$(OPENSSL_LIBS) -ldl

# demailctl: all but its main in a library, so that tests reach it.
noinst_LIBRARIES += libdemail-ctl.a
libdemail_ctl_a_CPPFLAGS = $(AM_CPPFLAGS) $(CURL_CFLAGS)
libdemail_ctl_a_SOURCES = $(HISTORY_SOURCES) \
	milter/programs/ctl_block.cpp \
	milter/programs/ctl_block.hpp \
	milter/programs/ctl_card.hpp \
	milter/programs/ctl_card_commands.cpp \
	milter/programs/ctl_card_commands.hpp \
	milter/programs/ctl_card_daemon.cpp \
	milter/programs/ctl_card_daemon.hpp \
	milter/programs/ctl_card_pins.cpp \
	milter/programs/ctl_card_show.cpp \
	milter/programs/ctl_cert.cpp \
	milter/programs/ctl_cert.hpp \
	milter/programs/ctl_domain_files.cpp \
	milter/programs/ctl_domain_files.hpp \
	milter/programs/ctl_doctor.cpp \
	milter/programs/ctl_doctor.hpp \
	milter/programs/ctl_doctor_actions.cpp \
	milter/programs/ctl_doctor_check.hpp \
	milter/programs/ctl_doctor_host.cpp \
	milter/programs/ctl_doctor_host.hpp \
	milter/programs/ctl_doctor_lines.cpp \
	milter/programs/ctl_doctor_postfix.cpp \
	milter/programs/ctl_doctor_postfix.hpp \
	milter/programs/ctl_doctor_routes.cpp \
	milter/programs/ctl_doctor_services.cpp \
	milter/programs/ctl_doctor_settings.cpp \
	milter/programs/ctl_doctor_tokens.cpp \
	milter/programs/ctl_domains.cpp \
	milter/programs/ctl_domains.hpp \
	milter/programs/ctl_evidence.cpp \
	milter/programs/ctl_evidence.hpp \
	milter/programs/ctl_evidence_export.cpp \
	milter/programs/ctl_history.cpp \
	milter/programs/ctl_history.hpp \
	milter/programs/ctl_history_text.cpp \
	milter/programs/ctl_history_text.hpp \
	milter/programs/ctl_journal.cpp \
	milter/programs/ctl_journal.hpp \
	milter/programs/ctl_pin_entry.cpp \
	milter/programs/ctl_pin_entry.hpp \
	milter/programs/ctl_postfix_facts.cpp \
	milter/programs/ctl_postfix_facts.hpp \
	milter/programs/ctl_postfix_lines.cpp \
	milter/programs/ctl_postfix_lines.hpp \
	milter/programs/ctl_postfix_list.cpp \
	milter/programs/ctl_postfix_list.hpp \
	milter/programs/ctl_postfix_log.cpp \
	milter/programs/ctl_postfix_log.hpp \
	milter/programs/ctl_postfix_tables.cpp \
	milter/programs/ctl_postfix_tables.hpp \
	milter/programs/ctl_relay.cpp \
	milter/programs/ctl_relay.hpp \
	milter/programs/ctl_resume.cpp \
	milter/programs/ctl_resume.hpp \
	milter/programs/ctl_screen.cpp \
	milter/programs/ctl_screen.hpp \
	milter/programs/ctl_selftest.cpp \
	milter/programs/ctl_selftest.hpp \
	milter/programs/ctl_selftest_ways.cpp \
	milter/programs/ctl_selftest_ways.hpp \
	milter/programs/ctl_setup.cpp \
	milter/programs/ctl_setup.hpp \
	milter/programs/ctl_smtp_dialogue.cpp \
	milter/programs/ctl_smtp_dialogue.hpp \
	milter/programs/ctl_status.cpp \
	milter/programs/ctl_status.hpp \
	milter/programs/ctl_test_address.cpp \
	milter/programs/ctl_test_address.hpp \
	milter/programs/ctl_time.cpp \
	milter/programs/ctl_time.hpp \
	milter/programs/ctl_token_list.cpp \
	milter/programs/ctl_token_list.hpp \
	milter/programs/ctl_verdict.hpp
CTL_LIBS = libdemail-ctl.a libdemail-filter.a libdemail-relay.a libdemail-admin.a \
	libdemail-journal.a libdemail-crypto.a libdemail-message.a libdemail-broker.a libdemail-wire.a libdemail-daemon.a \
	libdemail-base.a
LIBS_CTL = $(CURL_LIBS) $(JOURNAL_LIBS) $(LIBP11_LIBS) $(TOML_LIBS) $(IDN_LIBS) $(FMT_LIBS) $(SYSTEMD_LIBS) $(OPENSSL_LIBS) -ldl

bin_PROGRAMS += demailctl
demailctl_SOURCES = milter/programs/demailctl.cpp
demailctl_LDADD = $(CTL_LIBS) $(LIBS_CTL)

UNIT_TESTS += tests/unit/ctl_doctor_test tests/unit/ctl_postfix_lines_test tests/unit/ctl_screen_test \
	tests/unit/ctl_postfix_log_test tests/unit/ctl_selftest_test \
	tests/unit/ctl_test_address_test tests/unit/ctl_time_test tests/unit/ctl_history_test
tests_unit_ctl_doctor_test_SOURCES = tests/unit/ctl_doctor_test.cpp
tests_unit_ctl_doctor_test_LDADD = $(CTL_LIBS) $(UNIT_LIBS) $(LIBS_CTL)
tests_unit_ctl_postfix_log_test_SOURCES = tests/unit/ctl_postfix_log_test.cpp
tests_unit_ctl_postfix_log_test_LDADD = $(CTL_LIBS) $(UNIT_LIBS) $(LIBS_CTL)
tests_unit_ctl_selftest_test_SOURCES = tests/unit/ctl_selftest_test.cpp
tests_unit_ctl_selftest_test_LDADD = $(CTL_LIBS) $(UNIT_LIBS) $(LIBS_CTL)
tests_unit_ctl_time_test_SOURCES = tests/unit/ctl_time_test.cpp
tests_unit_ctl_time_test_LDADD = $(CTL_LIBS) $(UNIT_LIBS) $(LIBS_CTL)
tests_unit_ctl_history_test_SOURCES = tests/unit/ctl_history_test.cpp \
	tests/unit/temporary_directory.hpp
tests_unit_ctl_history_test_LDADD = $(CTL_LIBS) $(UNIT_LIBS) $(LIBS_CTL)
tests_unit_ctl_postfix_lines_test_SOURCES = tests/unit/ctl_postfix_lines_test.cpp
tests_unit_ctl_postfix_lines_test_LDADD = $(CTL_LIBS) $(UNIT_LIBS) $(LIBS_CTL)
tests_unit_ctl_screen_test_SOURCES = tests/unit/ctl_screen_test.cpp
tests_unit_ctl_screen_test_LDADD = $(CTL_LIBS) $(UNIT_LIBS) $(LIBS_CTL)
tests_unit_ctl_test_address_test_SOURCES = tests/unit/ctl_test_address_test.cpp \
	tests/unit/temporary_directory.hpp
tests_unit_ctl_test_address_test_LDADD = $(CTL_LIBS) $(UNIT_LIBS) $(LIBS_CTL)

UNIT_TESTS += tests/unit/ctl_cert_test
tests_unit_ctl_cert_test_SOURCES = tests/unit/ctl_cert_test.cpp \
	tests/unit/certificates.cpp tests/unit/certificates.hpp \
	tests/unit/soft_token.cpp tests/unit/soft_token.hpp
tests_unit_ctl_cert_test_LDADD = $(CTL_LIBS) $(UNIT_LIBS) $(LIBS_CTL)
