# What both sides of the house stand on.
noinst_LIBRARIES += libdemail-base.a
libdemail_base_a_CPPFLAGS = $(AM_CPPFLAGS) $(P11KIT_CFLAGS)
libdemail_base_a_SOURCES = \
	pkcs11/base/certificate_time.cpp \
	pkcs11/base/certificate_time.hpp \
	pkcs11/base/digest.cpp \
	pkcs11/base/digest.hpp \
	pkcs11/base/digest_info.cpp \
	pkcs11/base/digest_info.hpp \
	pkcs11/base/ecdsa_value.cpp \
	pkcs11/base/ecdsa_value.hpp \
	pkcs11/base/edit_distance.cpp \
	pkcs11/base/edit_distance.hpp \
	pkcs11/base/file.cpp \
	pkcs11/base/file.hpp \
	pkcs11/base/file_stamp.hpp \
	pkcs11/base/handle.hpp \
	pkcs11/base/host_name.cpp \
	pkcs11/base/host_name.hpp \
	pkcs11/base/instant.cpp \
	pkcs11/base/instant.hpp \
	pkcs11/base/listen_unix.cpp \
	pkcs11/base/listen_unix.hpp \
	pkcs11/base/log.cpp \
	pkcs11/base/log.hpp \
	pkcs11/base/peer.cpp \
	pkcs11/base/peer.hpp \
	pkcs11/base/secret.cpp \
	pkcs11/base/secret.hpp \
	pkcs11/base/word.cpp \
	pkcs11/base/word.hpp

UNIT_TESTS += tests/unit/log_test
tests_unit_log_test_SOURCES = tests/unit/log_test.cpp
tests_unit_log_test_LDADD = libdemail-base.a $(UNIT_LIBS) $(SYSTEMD_LIBS)
UNIT_TESTS += tests/unit/digest_test
tests_unit_digest_test_SOURCES = tests/unit/digest_test.cpp
tests_unit_digest_test_LDADD = libdemail-base.a $(UNIT_LIBS) $(OPENSSL_LIBS)
UNIT_TESTS += tests/unit/digest_info_test
tests_unit_digest_info_test_CPPFLAGS = $(AM_CPPFLAGS) $(P11KIT_CFLAGS)
tests_unit_digest_info_test_SOURCES = tests/unit/digest_info_test.cpp tests/unit/certificates.cpp
tests_unit_digest_info_test_LDADD = libdemail-base.a $(UNIT_LIBS) $(OPENSSL_LIBS)
UNIT_TESTS += tests/unit/secret_test
tests_unit_secret_test_SOURCES = tests/unit/secret_test.cpp tests/unit/own_memory.hpp
tests_unit_secret_test_LDADD = libdemail-base.a $(UNIT_LIBS) $(OPENSSL_LIBS)
