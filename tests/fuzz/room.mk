# The fuzz targets. Every build feeds them the corpus (corpus_test); where configured by
# --enable-fuzzing libFuzzer drives them.
FUZZ_TARGETS = \
	address \
	apdu_answer \
	ber \
	blocks \
	card_certificate \
	card_state \
	cardd_configuration \
	certificate \
	configuration \
	content \
	directory_entry \
	domain_lines \
	domain_list \
	domain_rules \
	ecdsa \
	evidence_line \
	ended_providers \
	header \
	key_uri \
	lmtp_data \
	lmtp_session \
	lmtp_words \
	mailboxes \
	multipart \
	recipient \
	reply \
	seal \
	srv_answer \
	senders \
	subject \
	wire_reply \
	wire_request \
	xml
FUZZ_LIBS = libfuzz.a libdemail-broker.a libdemail-tcos.a libdemail-wire.a libdemail-filter.a libdemail-directory.a $(ROOMS_RELAY) $(LIBS_RELAY)
FUZZ_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests/fuzz $(XML_CFLAGS) $(CURL_CFLAGS)

EXTRA_LIBRARIES = libfuzz.a
libfuzz_a_CPPFLAGS = $(FUZZ_CPPFLAGS)
libfuzz_a_SOURCES = \
	tests/fuzz/fuzz.hpp \
	tests/fuzz/replies.cpp \
	tests/fuzz/replies.hpp \
	tests/fuzz/reply_signer.cpp \
	tests/fuzz/reply_signer.hpp \
	tests/fuzz/targets.cpp \
	tests/fuzz/address.cpp \
	tests/fuzz/apdu_answer.cpp \
	tests/fuzz/ber.cpp \
	tests/fuzz/blocks.cpp \
	tests/fuzz/card_certificate.cpp \
	tests/fuzz/card_state.cpp \
	tests/fuzz/cardd_configuration.cpp \
	tests/fuzz/certificate.cpp \
	tests/fuzz/configuration.cpp \
	tests/fuzz/content.cpp \
	tests/fuzz/directory_entry.cpp \
	tests/fuzz/domain_lines.cpp \
	tests/fuzz/domain_list.cpp \
	tests/fuzz/domain_rules.cpp \
	tests/fuzz/ecdsa.cpp \
	tests/fuzz/evidence_line.cpp \
	tests/fuzz/ended_providers.cpp \
	tests/fuzz/header.cpp \
	tests/fuzz/key_uri.cpp \
	tests/fuzz/lmtp_data.cpp \
	tests/fuzz/lmtp_session.cpp \
	tests/fuzz/lmtp_words.cpp \
	tests/fuzz/mailboxes.cpp \
	tests/fuzz/multipart.cpp \
	tests/fuzz/recipient.cpp \
	tests/fuzz/reply.cpp \
	tests/fuzz/seal.cpp \
	tests/fuzz/srv_answer.cpp \
	tests/fuzz/senders.cpp \
	tests/fuzz/subject.cpp \
	tests/fuzz/wire_reply.cpp \
	tests/fuzz/wire_request.cpp \
	tests/fuzz/xml.cpp

UNIT_TESTS += tests/fuzz/corpus_test
tests_fuzz_corpus_test_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_corpus_test_SOURCES = tests/fuzz/corpus_test.cpp
tests_fuzz_corpus_test_LDADD = $(FUZZ_LIBS)

if FUZZING
EXTRA_PROGRAMS += tests/fuzz/fuzz
tests_fuzz_fuzz_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_SOURCES = tests/fuzz/libfuzzer.cpp
tests_fuzz_fuzz_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_LDFLAGS = $(AM_LDFLAGS) $(FUZZER)
CLEANFILES += tests/fuzz/fuzz$(EXEEXT)
endif

# Writes the seeds of the target reply anew.
EXTRA_PROGRAMS += tests/fuzz/write_replies
tests_fuzz_write_replies_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_write_replies_SOURCES = tests/fuzz/write_replies.cpp
tests_fuzz_write_replies_LDADD = $(FUZZ_LIBS)
CLEANFILES += tests/fuzz/write_replies$(EXEEXT)

# FUZZ_SECONDS for each target: 20 in make check and make fuzz, two hours in make soak.
RUN_FUZZ = SRCDIR=$(abs_top_srcdir) BUILDDIR=$(abs_top_builddir) $(srcdir)/tests/fuzz/run.sh
fuzz:
	FUZZ_SECONDS=$${FUZZ_SECONDS-20} $(RUN_FUZZ) $(TARGETS)
soak:
	FUZZ_SEED=0 FUZZ_SECONDS=$${FUZZ_SECONDS-7200} $(RUN_FUZZ) $(TARGETS)
.PHONY: fuzz soak
distclean-local:
	rm -rf fuzzing
EXTRA_DIST += tests/fuzz/run.sh
dist-hook:
	$(MKDIR_P) $(distdir)/tests/fuzz/corpus
	cp -pR $(srcdir)/tests/fuzz/corpus/. $(distdir)/tests/fuzz/corpus
	cp -p $(srcdir)/tests/fuzz/*.dict $(distdir)/tests/fuzz
