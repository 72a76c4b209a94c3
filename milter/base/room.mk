noinst_LIBRARIES += libdemail-base.a
libdemail_base_a_SOURCES = \
	milter/base/digest.cpp \
	milter/base/digest.hpp \
	milter/base/handle.hpp \
	milter/base/log.hpp
