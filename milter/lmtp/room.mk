noinst_LIBRARIES += libdemail-lmtp.a
libdemail_lmtp_a_CPPFLAGS = $(AM_CPPFLAGS) $(FMT_CFLAGS)
libdemail_lmtp_a_SOURCES = \
	milter/lmtp/data_decoder.cpp \
	milter/lmtp/data_decoder.hpp \
	milter/lmtp/listen.cpp \
	milter/lmtp/protocol.cpp \
	milter/lmtp/protocol.hpp \
	milter/lmtp/server.cpp \
	milter/lmtp/server.hpp \
	milter/lmtp/session.cpp \
	milter/lmtp/session.hpp \
	milter/lmtp/stream.cpp \
	milter/lmtp/stream.hpp
