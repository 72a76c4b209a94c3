# What the PKCS#11 module, demailctl and demail-cardd say to each other.
wire_sources = \
	pkcs11/wire/client.cpp \
	pkcs11/wire/client.hpp \
	pkcs11/wire/codec.cpp \
	pkcs11/wire/codec.hpp \
	pkcs11/wire/connection.cpp \
	pkcs11/wire/connection.hpp \
	pkcs11/wire/fields.hpp \
	pkcs11/wire/frame.cpp \
	pkcs11/wire/frame.hpp \
	pkcs11/wire/message.cpp \
	pkcs11/wire/message.hpp \
	pkcs11/wire/reader.hpp \
	pkcs11/wire/text.cpp \
	pkcs11/wire/text.hpp \
	pkcs11/wire/writer.hpp
noinst_LIBRARIES += libdemail-wire.a
libdemail_wire_a_CPPFLAGS = $(AM_CPPFLAGS)
libdemail_wire_a_SOURCES = $(wire_sources)

wire_test_sources = tests/unit/wire_messages.cpp tests/unit/wire_messages.hpp
UNIT_TESTS += tests/unit/wire_codec_test
tests_unit_wire_codec_test_SOURCES = tests/unit/wire_codec_test.cpp $(wire_test_sources)
tests_unit_wire_codec_test_LDADD = libdemail-wire.a libdemail-base.a $(UNIT_LIBS)

scripted_daemon_sources = tests/unit/scripted_daemon.cpp tests/unit/scripted_daemon.hpp
UNIT_TESTS += tests/unit/wire_client_test
tests_unit_wire_client_test_SOURCES = tests/unit/wire_client_test.cpp $(scripted_daemon_sources)
tests_unit_wire_client_test_LDADD = libdemail-wire.a libdemail-base.a $(UNIT_LIBS) $(FMT_LIBS)
