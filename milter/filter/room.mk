noinst_LIBRARIES += libdemail-filter.a
libdemail_filter_a_SOURCES =
