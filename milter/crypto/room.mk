noinst_LIBRARIES += libdemail-crypto.a
libdemail_crypto_a_CPPFLAGS = $(AM_CPPFLAGS) $(P11KIT_CFLAGS) -DPKCS11DIR='"$(libdir)/pkcs11"'
libdemail_crypto_a_SOURCES = \
	milter/crypto/certificate_choice.cpp \
	milter/crypto/certificate_choice.hpp \
	milter/crypto/ck_result.cpp \
	milter/crypto/ck_result.hpp \
	milter/crypto/key_on_token.cpp \
	milter/crypto/key_on_token.hpp \
	milter/crypto/key_uri.cpp \
	milter/crypto/key_uri.hpp \
	milter/crypto/module.cpp \
	milter/crypto/module.hpp \
	milter/crypto/open_token.cpp \
	milter/crypto/open_token.hpp \
	milter/crypto/openssl_provider.cpp \
	milter/crypto/openssl_provider.hpp \
	milter/crypto/openssl_signature.cpp \
	milter/crypto/pin.cpp \
	milter/crypto/pin.hpp \
	milter/crypto/refused_pins.cpp \
	milter/crypto/refused_pins.hpp \
	milter/crypto/signature_params.cpp \
	milter/crypto/signature_params.hpp \
	milter/crypto/signing_key.hpp \
	milter/crypto/tls_limits.cpp \
	milter/crypto/tls_limits.hpp \
	milter/crypto/token_key.cpp \
	milter/crypto/token_key.hpp \
	milter/crypto/token_objects.cpp \
	milter/crypto/token_session.cpp \
	milter/crypto/token_session.hpp \
	milter/crypto/token_thread.cpp \
	milter/crypto/token_thread.hpp

# SoftHSM (softhsm2-util) and OpenSC's pkcs11-tool are needed by the tests of tokens.
token_test_sources = \
	tests/unit/certificates.cpp \
	tests/unit/certificates.hpp \
	tests/unit/soft_token.cpp \
	tests/unit/soft_token.hpp \
	tests/unit/token_world.cpp \
	tests/unit/token_world.hpp
crypto_test_libraries = libdemail-crypto.a libdemail-base.a $(UNIT_LIBS) $(FMT_LIBS) $(OPENSSL_LIBS)

UNIT_TESTS += tests/unit/token_key_test
tests_unit_token_key_test_SOURCES = tests/unit/token_key_test.cpp $(token_test_sources)
tests_unit_token_key_test_LDADD = $(crypto_test_libraries)

UNIT_TESTS += tests/unit/token_tls_test
tests_unit_token_tls_test_SOURCES = tests/unit/token_tls_test.cpp $(token_test_sources)
tests_unit_token_tls_test_LDADD = $(crypto_test_libraries)

breakable_sources = tests/unit/breakable_module.cpp tests/unit/breakable_module.hpp

UNIT_TESTS += tests/unit/token_recovery_test
tests_unit_token_recovery_test_CPPFLAGS = $(AM_CPPFLAGS) $(P11KIT_CFLAGS)
tests_unit_token_recovery_test_SOURCES = tests/unit/token_recovery_test.cpp $(breakable_sources) $(token_test_sources)
tests_unit_token_recovery_test_LDADD = $(crypto_test_libraries)

UNIT_TESTS += tests/unit/token_pin_test
tests_unit_token_pin_test_CPPFLAGS = $(AM_CPPFLAGS) $(P11KIT_CFLAGS)
tests_unit_token_pin_test_SOURCES = tests/unit/token_pin_test.cpp $(breakable_sources) $(token_test_sources)
tests_unit_token_pin_test_LDADD = $(crypto_test_libraries)

UNIT_TESTS += tests/unit/key_uri_test
tests_unit_key_uri_test_SOURCES = tests/unit/key_uri_test.cpp
tests_unit_key_uri_test_LDADD = $(crypto_test_libraries)

UNIT_TESTS += tests/unit/certificate_choice_test
tests_unit_certificate_choice_test_SOURCES = tests/unit/certificate_choice_test.cpp tests/unit/certificates.cpp
tests_unit_certificate_choice_test_LDADD = $(crypto_test_libraries)

# These load the shim (tests/shim) in front of SoftHSM.
shim_test_sources = tests/unit/shim_token.cpp tests/unit/shim_token.hpp $(token_test_sources)

UNIT_TESTS += tests/unit/token_faults_test
tests_unit_token_faults_test_SOURCES = tests/unit/token_faults_test.cpp $(shim_test_sources)
tests_unit_token_faults_test_LDADD = $(crypto_test_libraries)

UNIT_TESTS += tests/unit/token_hang_test
tests_unit_token_hang_test_SOURCES = tests/unit/token_hang_test.cpp $(shim_test_sources)
tests_unit_token_hang_test_LDADD = $(crypto_test_libraries)

UNIT_TESTS += tests/unit/token_restart_test
tests_unit_token_restart_test_SOURCES = tests/unit/token_restart_test.cpp $(shim_test_sources)
tests_unit_token_restart_test_LDADD = $(crypto_test_libraries)
