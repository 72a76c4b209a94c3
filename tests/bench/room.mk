# make bench: CPU and memory of the daemons against floors and peers. Needs root (a private Postfix)
# and Debian's opendkim and opensc-pkcs11 beside what the tests need.
EXTRA_PROGRAMS += tests/bench/empty-milter tests/bench/floor-submit tests/bench/rules tests/bench/wire
tests_bench_empty_milter_SOURCES = tests/bench/empty-milter.cpp
tests_bench_empty_milter_LDADD = $(MILTER_LIBS)
tests_bench_floor_submit_SOURCES = tests/bench/floor-submit.cpp
tests_bench_floor_submit_LDADD = libdemail-soap.a libdemail-crypto.a libdemail-message.a \
	libdemail-base.a $(CURL_LIBS) $(XML_LIBS) $(IDN_LIBS) $(FMT_LIBS) $(SYSTEMD_LIBS) $(OPENSSL_LIBS) -ldl

tests_bench_rules_SOURCES = tests/bench/rules.cpp
tests_bench_rules_LDADD = $(FILTER_TEST_LIBS)

tests_bench_wire_SOURCES = tests/bench/wire.cpp
tests_bench_wire_CPPFLAGS = $(AM_CPPFLAGS) $(XML_CFLAGS) $(CURL_CFLAGS)
tests_bench_wire_LDADD = $(tests_bench_floor_submit_LDADD)

EXTRA_DIST += tests/bench/bench.py tests/bench/card_load.py tests/bench/figures.py \
	tests/bench/journal_bench.py tests/bench/journal_rows.py tests/bench/relay_hosts.py \
	tests/bench/milter_load.py tests/bench/relay_load.py tests/bench/slow_token.py

bench: $(sbin_PROGRAMS) $(pkcs11_LTLIBRARIES) tests/bench/empty-milter$(EXEEXT) \
	tests/bench/floor-submit$(EXEEXT) tests/bench/rules$(EXEEXT) tests/bench/wire$(EXEEXT) tests/e2e/card_signer$(EXEEXT) \
	$(pkcs11_shim)
	SRCDIR=$(abs_top_srcdir) BUILDDIR=$(abs_top_builddir) $(PYTHON) \
		$(srcdir)/tests/bench/bench.py $(BENCHFLAGS)
# Ten million rows take 20 GB of /var/tmp for each database, and half an hour to fill.
soak: soak-journal
soak-journal: all
	SRCDIR=$(abs_top_srcdir) BUILDDIR=$(abs_top_builddir) $(PYTHON) \
		$(srcdir)/tests/bench/bench.py --only journal --rows 10000000
.PHONY: bench soak-journal
