# demail-cardd: who may use the card, when a PIN may be tried, in which turn.
noinst_LIBRARIES += libdemail-broker.a
libdemail_broker_a_CPPFLAGS = $(AM_CPPFLAGS) $(TOML_CFLAGS) $(FMT_CFLAGS) $(SYSTEMD_CFLAGS) \
	$(P11KIT_CFLAGS) $(PCSC_CFLAGS)
libdemail_broker_a_SOURCES = \
	pkcs11/broker/access.cpp \
	pkcs11/broker/access.hpp \
	pkcs11/broker/audit.cpp \
	pkcs11/broker/audit.hpp \
	pkcs11/broker/card_keys.cpp \
	pkcs11/broker/card_pins.cpp \
	pkcs11/broker/card_presence.cpp \
	pkcs11/broker/card_thread.cpp \
	pkcs11/broker/card_thread.hpp \
	pkcs11/broker/cards.cpp \
	pkcs11/broker/cards.hpp \
	pkcs11/broker/catalogue.cpp \
	pkcs11/broker/catalogue.hpp \
	pkcs11/broker/certificate_ends.cpp \
	pkcs11/broker/certificate_ends.hpp \
	pkcs11/broker/configuration.cpp \
	pkcs11/broker/configuration.hpp \
	pkcs11/broker/configuration_files.cpp \
	pkcs11/broker/conversation.cpp \
	pkcs11/broker/conversation.hpp \
	pkcs11/broker/driver.hpp \
	pkcs11/broker/fair_queue.hpp \
	pkcs11/broker/guard.cpp \
	pkcs11/broker/guard.hpp \
	pkcs11/broker/job.cpp \
	pkcs11/broker/job.hpp \
	pkcs11/broker/key_roles.cpp \
	pkcs11/broker/key_roles.hpp \
	pkcs11/broker/latch.cpp \
	pkcs11/broker/latch.hpp \
	pkcs11/broker/module_child.cpp \
	pkcs11/broker/module_child.hpp \
	pkcs11/broker/module_driver.cpp \
	pkcs11/broker/module_driver.hpp \
	pkcs11/broker/module_host.cpp \
	pkcs11/broker/module_host.hpp \
	pkcs11/broker/pin_file.cpp \
	pkcs11/broker/pin_file.hpp \
	pkcs11/broker/pin_keeper.cpp \
	pkcs11/broker/pin_keeper.hpp \
	pkcs11/broker/reader_watch.cpp \
	pkcs11/broker/reader_watch.hpp \
	pkcs11/broker/rsa.cpp \
	pkcs11/broker/rsa.hpp \
	pkcs11/broker/server.cpp \
	pkcs11/broker/server.hpp \
	pkcs11/broker/service.cpp \
	pkcs11/broker/service.hpp \
	pkcs11/broker/tcos_driver.cpp \
	pkcs11/broker/tcos_driver.hpp \
	pkcs11/broker/tcos_facts.cpp \
	pkcs11/broker/tcos_report.cpp \
	pkcs11/broker/words.cpp \
	pkcs11/broker/words.hpp

BROKER_LIBS = libdemail-broker.a libdemail-tcos.a libdemail-wire.a libdemail-daemon.a \
	libdemail-base.a
LIBS_BROKER = $(PCSC_LIBS) $(TOML_LIBS) $(FMT_LIBS) $(SYSTEMD_LIBS) $(OPENSSL_LIBS) -ldl
sbin_PROGRAMS += demail-cardd
demail_cardd_SOURCES = pkcs11/broker/demail-cardd.cpp
demail_cardd_CPPFLAGS = $(libdemail_broker_a_CPPFLAGS)
demail_cardd_LDADD = $(BROKER_LIBS) $(LIBS_BROKER)

broker_tests = tests/unit/broker_audit_test tests/unit/broker_certificate_ends_test \
	tests/unit/broker_configuration_test \
	tests/unit/broker_pins_test tests/unit/broker_turns_test
UNIT_TESTS += $(broker_tests)
tests_unit_broker_audit_test_SOURCES = tests/unit/broker_audit_test.cpp \
	tests/unit/temporary_directory.hpp
tests_unit_broker_audit_test_LDADD = $(BROKER_LIBS) $(UNIT_LIBS) $(LIBS_BROKER)
tests_unit_broker_certificate_ends_test_SOURCES = tests/unit/broker_certificate_ends_test.cpp
tests_unit_broker_certificate_ends_test_LDADD = $(BROKER_LIBS) $(UNIT_LIBS) $(LIBS_BROKER)
tests_unit_broker_configuration_test_SOURCES = tests/unit/broker_configuration_test.cpp \
	tests/unit/temporary_directory.hpp
tests_unit_broker_configuration_test_LDADD = $(BROKER_LIBS) $(UNIT_LIBS) $(LIBS_BROKER)
tests_unit_broker_pins_test_CPPFLAGS = $(AM_CPPFLAGS) $(P11KIT_CFLAGS)
tests_unit_broker_pins_test_SOURCES = tests/unit/broker_pins_test.cpp \
	tests/unit/temporary_directory.hpp
tests_unit_broker_pins_test_LDADD = $(BROKER_LIBS) $(UNIT_LIBS) $(LIBS_BROKER)
tests_unit_broker_turns_test_SOURCES = tests/unit/broker_turns_test.cpp
tests_unit_broker_turns_test_LDADD = $(BROKER_LIBS) $(UNIT_LIBS) $(LIBS_BROKER)
