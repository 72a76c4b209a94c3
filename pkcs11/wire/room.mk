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
