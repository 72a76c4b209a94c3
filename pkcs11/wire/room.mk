# What the PKCS#11 module, demailctl and demail-cardd say to each other.
wire_sources = \
	pkcs11/wire/codec.hpp \
	pkcs11/wire/frame.cpp \
	pkcs11/wire/frame.hpp \
	pkcs11/wire/message.hpp
noinst_LIBRARIES += libdemail-wire.a
libdemail_wire_a_CPPFLAGS = $(AM_CPPFLAGS)
libdemail_wire_a_SOURCES = $(wire_sources) \
	pkcs11/wire/client.hpp
