# The card engine: APDUs, card profiles, PC/SC. Knows base.
noinst_LIBRARIES += libdemail-tcos.a
libdemail_tcos_a_CPPFLAGS = $(AM_CPPFLAGS) $(PCSC_CFLAGS) $(P11KIT_CFLAGS)
libdemail_tcos_a_SOURCES = \
	pkcs11/tcos/apdu.hpp \
	pkcs11/tcos/ber.hpp \
	pkcs11/tcos/bytes.hpp \
	pkcs11/tcos/card.hpp \
	pkcs11/tcos/certificate_file.hpp \
	pkcs11/tcos/padding.hpp \
	pkcs11/tcos/pcsc.hpp \
	pkcs11/tcos/profile.hpp \
	pkcs11/tcos/time_limit.hpp \
	pkcs11/tcos/transport.cpp \
	pkcs11/tcos/transport.hpp
