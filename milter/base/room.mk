noinst_LIBRARIES += libdemail-base.a
libdemail_base_a_SOURCES = \
	milter/base/digest.cpp \
	milter/base/digest.hpp \
	milter/base/ecdsa_value.cpp \
	milter/base/ecdsa_value.hpp \
	milter/base/handle.hpp \
	milter/base/log.hpp

libdemail_base_a_SOURCES += milter/base/log.cpp
UNIT_TESTS += tests/unit/log_test
tests_unit_log_test_SOURCES = tests/unit/log_test.cpp
tests_unit_log_test_LDADD = libdemail-base.a $(UNIT_LIBS) $(SYSTEMD_LIBS)
libdemail_base_a_SOURCES += \
	milter/base/file.cpp \
	milter/base/file.hpp \
	milter/base/peer.cpp \
	milter/base/peer.hpp
UNIT_TESTS += tests/unit/digest_test
tests_unit_digest_test_SOURCES = tests/unit/digest_test.cpp
tests_unit_digest_test_LDADD = libdemail-base.a $(UNIT_LIBS) $(OPENSSL_LIBS)
