noinst_LIBRARIES += libdemail-journal.a
libdemail_journal_a_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS)
libdemail_journal_a_SOURCES = \
	milter/journal/journal.hpp \
	milter/journal/schema.hpp \
	milter/journal/sql_journal.cpp \
	milter/journal/statements.cpp \
	milter/journal/statements.hpp
JOURNAL_LIBS = $(SOCI_LIBS) $(SQLITE_LIBS)


UNIT_TESTS += tests/unit/journal_test
tests_unit_journal_test_SOURCES = tests/unit/journal_test.cpp
tests_unit_journal_test_LDADD = libdemail-journal.a libdemail-message.a libdemail-base.a \
	$(UNIT_LIBS) $(JOURNAL_LIBS) $(IDN_LIBS) $(FMT_LIBS) $(OPENSSL_LIBS)
