noinst_LIBRARIES += libdemail-relay.a
libdemail_relay_a_SOURCES = \
	milter/relay/account.cpp \
	milter/relay/account.hpp \
	milter/relay/admission.cpp \
	milter/relay/admission.hpp \
	milter/relay/incoming_message.cpp \
	milter/relay/incoming_message.hpp \
	milter/relay/outcome.cpp \
	milter/relay/outcome.hpp \
	milter/relay/service.cpp \
	milter/relay/service.hpp \
	milter/relay/spool_file.cpp \
	milter/relay/spool_file.hpp \
	milter/relay/submitter.cpp \
	milter/relay/submitter.hpp
