noinst_LIBRARIES += libdemail-journal.a
libdemail_journal_a_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS) $(PQ_CFLAGS)
libdemail_journal_a_SOURCES = \
	milter/journal/belonging.cpp \
	milter/journal/belonging.hpp \
	milter/journal/database.hpp \
	milter/journal/dialect.hpp \
	milter/journal/evidence.cpp \
	milter/journal/evidence.hpp \
	milter/journal/evidence_file.cpp \
	milter/journal/evidence_file.hpp \
	milter/journal/evidence_line.cpp \
	milter/journal/evidence_line.hpp \
	milter/journal/evidence_tree.cpp \
	milter/journal/evidence_tree.hpp \
	milter/journal/history.hpp \
	milter/journal/history_queries.cpp \
	milter/journal/history_queries.hpp \
	milter/journal/history_reading.cpp \
	milter/journal/history_reading.hpp \
	milter/journal/journal.hpp \
	milter/journal/pool.cpp \
	milter/journal/pool.hpp \
	milter/journal/postgresql_database.cpp \
	milter/journal/postgresql_settings.cpp \
	milter/journal/postgresql_settings.hpp \
	milter/journal/purge.cpp \
	milter/journal/purge.hpp \
	milter/journal/rebuild.cpp \
	milter/journal/rebuild.hpp \
	milter/journal/records.cpp \
	milter/journal/records.hpp \
	milter/journal/restoring.cpp \
	milter/journal/restoring.hpp \
	milter/journal/schema.cpp \
	milter/journal/schema.hpp \
	milter/journal/sql_journal.cpp \
	milter/journal/sqlite_database.cpp \
	milter/journal/statements.cpp \
	milter/journal/statements.hpp \
	milter/journal/transaction.hpp \
	milter/journal/words.cpp \
	milter/journal/words.hpp
JOURNAL_LIBS = $(SOCI_LIBS) $(SQLITE_LIBS) $(PQ_LIBS)

JOURNAL_TEST_LIBS = libdemail-journal.a libdemail-message.a libdemail-base.a $(UNIT_LIBS) \
	$(JOURNAL_LIBS) $(IDN_LIBS) $(FMT_LIBS) $(SYSTEMD_LIBS) $(OPENSSL_LIBS)
JOURNAL_TEST_SOURCES = tests/unit/journal_fixture.hpp tests/unit/postgresql_server.cpp \
	tests/unit/postgresql_server.hpp tests/unit/temporary_directory.hpp
UNIT_TESTS += tests/unit/evidence_test
tests_unit_evidence_test_SOURCES = tests/unit/evidence_test.cpp tests/unit/temporary_directory.hpp
tests_unit_evidence_test_LDADD = $(JOURNAL_TEST_LIBS)
UNIT_TESTS += tests/unit/journal_test tests/unit/journal_schema_test tests/unit/journal_hosts_test \
	tests/unit/journal_outage_test
tests_unit_journal_test_SOURCES = tests/unit/journal_test.cpp $(JOURNAL_TEST_SOURCES)
tests_unit_journal_test_CPPFLAGS = $(AM_CPPFLAGS) $(PQ_CFLAGS)
tests_unit_journal_test_LDADD = $(JOURNAL_TEST_LIBS)
tests_unit_journal_schema_test_SOURCES = tests/unit/journal_schema_test.cpp $(JOURNAL_TEST_SOURCES)
tests_unit_journal_schema_test_CPPFLAGS = $(AM_CPPFLAGS) $(PQ_CFLAGS)
tests_unit_journal_schema_test_LDADD = $(JOURNAL_TEST_LIBS)
tests_unit_journal_hosts_test_SOURCES = tests/unit/journal_hosts_test.cpp $(JOURNAL_TEST_SOURCES)
tests_unit_journal_hosts_test_CPPFLAGS = $(AM_CPPFLAGS) $(PQ_CFLAGS)
tests_unit_journal_hosts_test_LDADD = $(JOURNAL_TEST_LIBS)
tests_unit_journal_outage_test_SOURCES = tests/unit/journal_outage_test.cpp $(JOURNAL_TEST_SOURCES)
tests_unit_journal_outage_test_CPPFLAGS = $(AM_CPPFLAGS) $(PQ_CFLAGS)
tests_unit_journal_outage_test_LDADD = $(JOURNAL_TEST_LIBS)
UNIT_TESTS += tests/unit/purge_test
tests_unit_purge_test_SOURCES = tests/unit/purge_test.cpp tests/unit/temporary_directory.hpp
tests_unit_purge_test_LDADD = $(JOURNAL_TEST_LIBS)
UNIT_TESTS += tests/unit/journal_rebuild_test
tests_unit_journal_rebuild_test_SOURCES = tests/unit/journal_rebuild_test.cpp $(JOURNAL_TEST_SOURCES)
tests_unit_journal_rebuild_test_CPPFLAGS = $(AM_CPPFLAGS) $(PQ_CFLAGS)
tests_unit_journal_rebuild_test_LDADD = $(JOURNAL_TEST_LIBS)
UNIT_TESTS += tests/unit/journal_history_test
tests_unit_journal_history_test_SOURCES = tests/unit/journal_history_test.cpp $(JOURNAL_TEST_SOURCES)
tests_unit_journal_history_test_CPPFLAGS = $(AM_CPPFLAGS) $(PQ_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_journal_history_test_LDADD = $(JOURNAL_TEST_LIBS)
UNIT_TESTS += tests/unit/journal_scale_test
tests_unit_journal_scale_test_SOURCES = tests/unit/journal_scale_test.cpp $(JOURNAL_TEST_SOURCES)
tests_unit_journal_scale_test_CPPFLAGS = $(AM_CPPFLAGS) $(PQ_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_journal_scale_test_LDADD = $(JOURNAL_TEST_LIBS)
