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
	pkcs11/tcos/pcsc_loss.hpp \
	pkcs11/tcos/pcsc_readers.cpp \
	pkcs11/tcos/profile.cpp \
	pkcs11/tcos/profile.hpp \
	pkcs11/tcos/time_limit.cpp \
	pkcs11/tcos/time_limit.hpp \
	pkcs11/tcos/transport.cpp \
	pkcs11/tcos/transport.hpp
