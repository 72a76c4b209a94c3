noinst_LIBRARIES += libdemail-message.a
libdemail_message_a_SOURCES = \
	milter/message/address.hpp \
	milter/message/ascii.hpp \
	milter/message/content.hpp \
	milter/message/domain_set.hpp \
	milter/message/header.cpp \
	milter/message/header.hpp \
	milter/message/options.hpp \
	milter/message/private_id.hpp \
	milter/message/recipients.hpp \
	milter/message/rights.hpp \
	milter/message/seal.hpp \
	milter/message/reply.hpp
