noinst_LIBRARIES += libdemail-lmtp.a
libdemail_lmtp_a_SOURCES = \
	milter/lmtp/server.hpp
