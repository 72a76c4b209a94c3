noinst_LIBRARIES += libdemail-filter.a
libdemail_filter_a_CPPFLAGS = $(AM_CPPFLAGS) $(FMT_CFLAGS)
libdemail_filter_a_SOURCES = \
	milter/filter/author.cpp \
	milter/filter/author.hpp \
	milter/filter/domain_list.cpp \
	milter/filter/domain_list.hpp \
	milter/filter/events.cpp \
	milter/filter/events.hpp \
	milter/filter/file_text.cpp \
	milter/filter/file_text.hpp \
	milter/filter/firewall.cpp \
	milter/filter/firewall.hpp \
	milter/filter/listener.cpp \
	milter/filter/listener.hpp \
	milter/filter/milter_callbacks.cpp \
	milter/filter/milter_callbacks.hpp \
	milter/filter/negotiation.hpp \
	milter/filter/options_asked.cpp \
	milter/filter/options_asked.hpp \
	milter/filter/recipient.cpp \
	milter/filter/recipient.hpp \
	milter/filter/session.cpp \
	milter/filter/session.hpp \
	milter/filter/settings.cpp \
	milter/filter/settings.hpp
