# The card engine: APDUs, card profiles, PC/SC. Knows base.
noinst_LIBRARIES += libdemail-tcos.a
libdemail_tcos_a_CPPFLAGS = $(AM_CPPFLAGS) $(PCSC_CFLAGS) $(P11KIT_CFLAGS)
libdemail_tcos_a_SOURCES = \
	pkcs11/tcos/apdu.cpp \
	pkcs11/tcos/apdu.hpp \
	pkcs11/tcos/ber.cpp \
	pkcs11/tcos/ber.hpp \
	pkcs11/tcos/bytes.hpp \
	pkcs11/tcos/card.cpp \
	pkcs11/tcos/card.hpp \
	pkcs11/tcos/card_files.cpp \
	pkcs11/tcos/card_keys.cpp \
	pkcs11/tcos/card_pins.cpp \
	pkcs11/tcos/certificate_file.cpp \
	pkcs11/tcos/certificate_file.hpp \
	pkcs11/tcos/exchange.cpp \
	pkcs11/tcos/exchange.hpp \
	pkcs11/tcos/instructions.hpp \
	pkcs11/tcos/padding.cpp \
	pkcs11/tcos/padding.hpp \
	pkcs11/tcos/pcsc.hpp \
	pkcs11/tcos/pcsc_card.cpp \
	pkcs11/tcos/pcsc_loss.cpp \
	pkcs11/tcos/pcsc_look.cpp \
	pkcs11/tcos/pcsc_look.hpp \
	pkcs11/tcos/pcsc_loss.hpp \
	pkcs11/tcos/pcsc_readers.cpp \
	pkcs11/tcos/profile.cpp \
	pkcs11/tcos/profile.hpp \
	pkcs11/tcos/time_limit.cpp \
	pkcs11/tcos/time_limit.hpp \
	pkcs11/tcos/transport.cpp \
	pkcs11/tcos/transport.hpp

EXTRA_DIST += pkcs11/tcos/README.md tests/e2e/tcos_engine.py tests/e2e/test_tcos_engine.py \
	tests/e2e/test_tcos_losses.py
EXTRA_PROGRAMS += tests/e2e/tcos_probe
CLEANFILES += tests/e2e/tcos_probe$(EXEEXT)
check-local: tests/e2e/tcos_probe$(EXEEXT)
tests_e2e_tcos_probe_SOURCES = tests/e2e/tcos_probe.cpp
tests_e2e_tcos_probe_LDADD = $(TCOS_LIBS)

TCOS_LIBS = libdemail-tcos.a libdemail-base.a $(PCSC_LIBS) $(OPENSSL_LIBS)
TCOS_TEST_LIBS = libdemail-tcos.a libdemail-base.a $(UNIT_LIBS) $(PCSC_LIBS) $(OPENSSL_LIBS)
tcos_test_sources = \
	tests/unit/certificates.cpp \
	tests/unit/certificates.hpp \
	tests/unit/netkey_script.hpp \
	tests/unit/own_memory.hpp \
	tests/unit/scripted_card.hpp

UNIT_TESTS += tests/unit/tcos_apdu_test
tests_unit_tcos_apdu_test_SOURCES = tests/unit/tcos_apdu_test.cpp $(tcos_test_sources)
tests_unit_tcos_apdu_test_LDADD = $(TCOS_TEST_LIBS)

UNIT_TESTS += tests/unit/tcos_files_test
tests_unit_tcos_files_test_SOURCES = tests/unit/tcos_files_test.cpp $(tcos_test_sources)
tests_unit_tcos_files_test_LDADD = $(TCOS_TEST_LIBS)

UNIT_TESTS += tests/unit/tcos_padding_test
tests_unit_tcos_padding_test_CPPFLAGS = $(AM_CPPFLAGS) $(P11KIT_CFLAGS)
tests_unit_tcos_padding_test_SOURCES = tests/unit/tcos_padding_test.cpp $(tcos_test_sources)
tests_unit_tcos_padding_test_LDADD = $(TCOS_TEST_LIBS)

UNIT_TESTS += tests/unit/tcos_card_test tests/unit/tcos_losses_test
tests_unit_tcos_card_test_SOURCES = tests/unit/tcos_card_test.cpp tests/unit/netkey_life.hpp \
	$(tcos_test_sources)
tests_unit_tcos_card_test_LDADD = $(TCOS_TEST_LIBS)
tests_unit_tcos_losses_test_SOURCES = tests/unit/tcos_losses_test.cpp tests/unit/netkey_life.hpp \
	$(tcos_test_sources)
tests_unit_tcos_losses_test_LDADD = $(TCOS_TEST_LIBS)

UNIT_TESTS += tests/unit/tcos_pins_test
tests_unit_tcos_pins_test_SOURCES = tests/unit/tcos_pins_test.cpp $(tcos_test_sources)
tests_unit_tcos_pins_test_LDADD = $(TCOS_TEST_LIBS)

UNIT_TESTS += tests/unit/tcos_time_limit_test
tests_unit_tcos_time_limit_test_SOURCES = tests/unit/tcos_time_limit_test.cpp $(tcos_test_sources)
tests_unit_tcos_time_limit_test_LDADD = $(TCOS_TEST_LIBS)
