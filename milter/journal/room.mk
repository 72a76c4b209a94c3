noinst_LIBRARIES += libdemail-journal.a
libdemail_journal_a_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS)
libdemail_journal_a_SOURCES = \
	milter/journal/evidence.cpp \
	milter/journal/evidence.hpp \
	milter/journal/evidence_file.cpp \
	milter/journal/evidence_file.hpp \
	milter/journal/evidence_line.cpp \
	milter/journal/evidence_line.hpp \
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
UNIT_TESTS += tests/unit/evidence_test
tests_unit_evidence_test_SOURCES = tests/unit/evidence_test.cpp tests/unit/temporary_directory.hpp
tests_unit_evidence_test_LDADD = $(tests_unit_journal_test_LDADD)
