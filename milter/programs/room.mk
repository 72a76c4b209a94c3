# The mains. LIBS of a program: rooms from the top of the house to the ground, then libraries.

ROOMS_RELAY = libdemail-relay.a libdemail-admin.a libdemail-lmtp.a libdemail-soap.a \
	libdemail-journal.a libdemail-crypto.a libdemail-message.a libdemail-base.a
LIBS_RELAY = $(RELAY_LIBS) $(JOURNAL_LIBS) $(CURL_LIBS) $(XML_LIBS) $(TOML_LIBS) $(IDN_LIBS) \
	$(FMT_LIBS) $(SYSTEMD_LIBS) $(OPENSSL_LIBS) -ldl

sbin_PROGRAMS += demail-relay
demail_relay_SOURCES = \
	milter/programs/demail-relay.cpp \
	milter/programs/relay_control.cpp \
	milter/programs/relay_control.hpp
demail_relay_LDADD = $(ROOMS_RELAY) $(LIBS_RELAY)

sbin_PROGRAMS += demail-milter
demail_milter_SOURCES = milter/programs/demail-milter.cpp
demail_milter_LDADD = libdemail-filter.a libdemail-admin.a libdemail-crypto.a libdemail-message.a \
	libdemail-base.a $(MILTER_LIBS) $(TOML_LIBS) $(IDN_LIBS) $(FMT_LIBS) $(SYSTEMD_LIBS) \
	$(OPENSSL_LIBS) -ldl

# The floor of the milter's bench.
EXTRA_PROGRAMS += tests/bench/empty-milter
tests_bench_empty_milter_SOURCES = tests/bench/empty-milter.cpp
tests_bench_empty_milter_LDADD = $(MILTER_LIBS)
