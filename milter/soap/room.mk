noinst_LIBRARIES += libdemail-soap.a
libdemail_soap_a_SOURCES = \
	milter/soap/attachment.cpp \
	milter/soap/attachment.hpp \
	milter/soap/base64_ahead.cpp \
	milter/soap/base64_ahead.hpp \
	milter/soap/canonical.cpp \
	milter/soap/canonical.hpp \
	milter/soap/client_key.cpp \
	milter/soap/client_key.hpp \
	milter/soap/content_digest.cpp \
	milter/soap/content_digest.hpp \
	milter/soap/curl_option.hpp \
	milter/soap/document.cpp \
	milter/soap/document.hpp \
	milter/soap/envelope.cpp \
	milter/soap/envelope.hpp \
	milter/soap/handshake.cpp \
	milter/soap/handshake.hpp \
	milter/soap/https.cpp \
	milter/soap/https.hpp \
	milter/soap/infoset_digest.cpp \
	milter/soap/infoset_digest.hpp \
	milter/soap/multipart.cpp \
	milter/soap/multipart.hpp \
	milter/soap/names.hpp \
	milter/soap/payload.cpp \
	milter/soap/payload.hpp \
	milter/soap/post.cpp \
	milter/soap/post.hpp \
	milter/soap/provider.hpp \
	milter/soap/read_region.hpp \
	milter/soap/reference_provider.cpp \
	milter/soap/reference_provider.hpp \
	milter/soap/reply.cpp \
	milter/soap/reply.hpp \
	milter/soap/reply_signature.cpp \
	milter/soap/reply_signature.hpp \
	milter/soap/request.cpp \
	milter/soap/request.hpp \
	milter/soap/schema.cpp \
	milter/soap/schema.hpp \
	milter/soap/signature.cpp \
	milter/soap/signature.hpp \
	milter/soap/signers.cpp \
	milter/soap/signers.hpp \
	milter/soap/tls_names.cpp \
	milter/soap/tls_names.hpp \
	milter/soap/verify.cpp \
	milter/soap/verify.hpp \
	milter/soap/xml_scan.cpp \
	milter/soap/xml_text.cpp \
	milter/soap/xml_text.hpp
libdemail_soap_a_CPPFLAGS = $(AM_CPPFLAGS) $(XML_CFLAGS) $(CURL_CFLAGS)
SOAP_LIBS = $(SYSTEMD_LIBS) $(CURL_LIBS) $(XML_LIBS) $(FMT_LIBS) $(OPENSSL_LIBS)

EXTRA_DIST += tests/unit/ca_file.hpp tests/unit/software_key.hpp tests/unit/soap_reply.hpp tests/unit/tls_server.hpp tests/e2e/test_soap.py \
	tests/e2e/test_tls.py tests/e2e/verify_by_hand.sh
EXTRA_PROGRAMS += tests/e2e/soap_probe
CLEANFILES += tests/e2e/soap_probe$(EXEEXT)
check-local: tests/e2e/soap_probe$(EXEEXT)
tests_e2e_soap_probe_SOURCES = tests/e2e/soap_probe.cpp
tests_e2e_soap_probe_LDADD = libdemail-soap.a libdemail-crypto.a libdemail-message.a \
	libdemail-base.a $(SOAP_LIBS) $(IDN_LIBS)

SOAP_TEST_LIBS = libdemail-soap.a libdemail-crypto.a libdemail-message.a libdemail-base.a $(UNIT_LIBS) $(SOAP_LIBS) \
	$(IDN_LIBS)
SOAP_TEST_CPPFLAGS = $(AM_CPPFLAGS) $(XML_CFLAGS) $(CURL_CFLAGS)
UNIT_TESTS += tests/unit/soap_document_test
tests_unit_soap_document_test_SOURCES = tests/unit/soap_document_test.cpp
tests_unit_soap_document_test_CPPFLAGS = $(SOAP_TEST_CPPFLAGS)
tests_unit_soap_document_test_LDADD = $(SOAP_TEST_LIBS)
UNIT_TESTS += tests/unit/soap_reply_test
tests_unit_soap_reply_test_SOURCES = tests/unit/soap_reply_test.cpp
tests_unit_soap_reply_test_CPPFLAGS = $(SOAP_TEST_CPPFLAGS)
tests_unit_soap_reply_test_LDADD = $(SOAP_TEST_LIBS)
UNIT_TESTS += tests/unit/soap_wrapping_test
tests_unit_soap_wrapping_test_SOURCES = tests/unit/soap_wrapping_test.cpp
tests_unit_soap_wrapping_test_CPPFLAGS = $(SOAP_TEST_CPPFLAGS)
tests_unit_soap_wrapping_test_LDADD = $(SOAP_TEST_LIBS)
UNIT_TESTS += tests/unit/soap_envelope_test
tests_unit_soap_envelope_test_SOURCES = tests/unit/soap_envelope_test.cpp
tests_unit_soap_envelope_test_CPPFLAGS = $(SOAP_TEST_CPPFLAGS)
tests_unit_soap_envelope_test_LDADD = $(SOAP_TEST_LIBS)
UNIT_TESTS += tests/unit/soap_infoset_digest_test
tests_unit_soap_infoset_digest_test_SOURCES = tests/unit/soap_infoset_digest_test.cpp
tests_unit_soap_infoset_digest_test_CPPFLAGS = $(SOAP_TEST_CPPFLAGS)
tests_unit_soap_infoset_digest_test_LDADD = $(SOAP_TEST_LIBS)
UNIT_TESTS += tests/unit/soap_https_test
tests_unit_soap_https_test_SOURCES = tests/unit/soap_https_test.cpp
tests_unit_soap_https_test_CPPFLAGS = $(SOAP_TEST_CPPFLAGS)
tests_unit_soap_https_test_LDADD = $(SOAP_TEST_LIBS)
UNIT_TESTS += tests/unit/soap_tls_test
tests_unit_soap_tls_test_SOURCES = tests/unit/soap_tls_test.cpp
tests_unit_soap_tls_test_CPPFLAGS = $(SOAP_TEST_CPPFLAGS)
tests_unit_soap_tls_test_LDADD = $(SOAP_TEST_LIBS)
UNIT_TESTS += tests/unit/soap_content_digest_test
tests_unit_soap_content_digest_test_SOURCES = tests/unit/soap_content_digest_test.cpp
tests_unit_soap_content_digest_test_CPPFLAGS = $(SOAP_TEST_CPPFLAGS)
tests_unit_soap_content_digest_test_LDADD = $(SOAP_TEST_LIBS)
UNIT_TESTS += tests/unit/soap_multipart_test
tests_unit_soap_multipart_test_SOURCES = tests/unit/soap_multipart_test.cpp
tests_unit_soap_multipart_test_CPPFLAGS = $(SOAP_TEST_CPPFLAGS)
tests_unit_soap_multipart_test_LDADD = $(SOAP_TEST_LIBS)
UNIT_TESTS += tests/unit/soap_attachment_test
tests_unit_soap_attachment_test_SOURCES = tests/unit/soap_attachment_test.cpp
tests_unit_soap_attachment_test_CPPFLAGS = $(SOAP_TEST_CPPFLAGS)
tests_unit_soap_attachment_test_LDADD = $(SOAP_TEST_LIBS)
