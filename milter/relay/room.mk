noinst_LIBRARIES += libdemail-relay.a
libdemail_relay_a_SOURCES =
