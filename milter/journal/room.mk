noinst_LIBRARIES += libdemail-journal.a
libdemail_journal_a_SOURCES =
