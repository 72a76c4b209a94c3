noinst_LIBRARIES += libdemail-lmtp.a
libdemail_lmtp_a_CPPFLAGS = $(AM_CPPFLAGS) $(FMT_CFLAGS)
libdemail_lmtp_a_SOURCES = \
	milter/lmtp/data_decoder.cpp \
	milter/lmtp/data_decoder.hpp \
	milter/lmtp/protocol.cpp \
	milter/lmtp/protocol.hpp \
	milter/lmtp/server.cpp \
	milter/lmtp/server.hpp \
	milter/lmtp/session.cpp \
	milter/lmtp/session.hpp \
	milter/lmtp/stream.cpp \
	milter/lmtp/stream.hpp \
	milter/lmtp/workers.cpp \
	milter/lmtp/workers.hpp

LMTP_TEST_LIBS = libdemail-lmtp.a libdemail-base.a $(UNIT_LIBS) $(FMT_LIBS) $(SYSTEMD_LIBS)
UNIT_TESTS += tests/unit/lmtp_data_test tests/unit/lmtp_protocol_test \
	tests/unit/lmtp_session_test tests/unit/lmtp_server_test
tests_unit_lmtp_data_test_SOURCES = tests/unit/lmtp_data_test.cpp
tests_unit_lmtp_data_test_LDADD = $(LMTP_TEST_LIBS)
tests_unit_lmtp_protocol_test_SOURCES = tests/unit/lmtp_protocol_test.cpp
tests_unit_lmtp_protocol_test_LDADD = $(LMTP_TEST_LIBS)
tests_unit_lmtp_session_test_SOURCES = tests/unit/lmtp_session_test.cpp tests/unit/lmtp_recording.hpp
tests_unit_lmtp_session_test_LDADD = $(LMTP_TEST_LIBS)
tests_unit_lmtp_server_test_SOURCES = tests/unit/lmtp_server_test.cpp tests/unit/lmtp_recording.hpp
tests_unit_lmtp_server_test_LDADD = $(LMTP_TEST_LIBS)
