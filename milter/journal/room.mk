noinst_LIBRARIES += libdemail-journal.a
libdemail_journal_a_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS)
libdemail_journal_a_SOURCES = \
	milter/journal/journal.hpp \
	milter/journal/schema.hpp \
	milter/journal/sql_journal.cpp
JOURNAL_LIBS = $(SOCI_LIBS) $(SQLITE_LIBS)

