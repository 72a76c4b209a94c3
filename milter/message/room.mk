noinst_LIBRARIES += libdemail-message.a
libdemail_message_a_SOURCES = \
	milter/message/address.cpp \
	milter/message/address.hpp \
	milter/message/ascii.hpp \
	milter/message/blocks.cpp \
	milter/message/blocks.hpp \
	milter/message/content.cpp \
	milter/message/content.hpp \
	milter/message/display_name.cpp \
	milter/message/display_name.hpp \
	milter/message/domain_lines.cpp \
	milter/message/domain_lines.hpp \
	milter/message/domain_set.cpp \
	milter/message/domain_set.hpp \
	milter/message/ended_providers.cpp \
	milter/message/ended_providers.hpp \
	milter/message/header.cpp \
	milter/message/header.hpp \
	milter/message/ip_address.cpp \
	milter/message/mailboxes.cpp \
	milter/message/options.cpp \
	milter/message/options.hpp \
	milter/message/preconditions.cpp \
	milter/message/preconditions.hpp \
	milter/message/private_id.cpp \
	milter/message/private_id.hpp \
	milter/message/recipients.cpp \
	milter/message/recipients.hpp \
	milter/message/reply.hpp \
	milter/message/rights.cpp \
	milter/message/rights.hpp \
	milter/message/seal.cpp \
	milter/message/seal.hpp \
	milter/message/seal_check.cpp \
	milter/message/seal_check.hpp \
	milter/message/seal_key.cpp \
	milter/message/sender_line.cpp \
	milter/message/sender_table.cpp \
	milter/message/sender_table.hpp \
	milter/message/subject_text.cpp \
	milter/message/subject_text.hpp \
	milter/message/tokens.cpp \
	milter/message/tokens.hpp \
	milter/message/utf8.hpp
EXTRA_DIST += milter/message/README.md

UNIT_TESTS += tests/unit/address_test
tests_unit_address_test_SOURCES = tests/unit/address_test.cpp
tests_unit_address_test_LDADD = libdemail-message.a libdemail-base.a $(UNIT_LIBS) $(OPENSSL_LIBS) $(IDN_LIBS)

UNIT_TESTS += tests/unit/blocks_test
tests_unit_blocks_test_SOURCES = tests/unit/blocks_test.cpp
tests_unit_blocks_test_LDADD = libdemail-message.a libdemail-base.a $(UNIT_LIBS) $(OPENSSL_LIBS) $(IDN_LIBS)

UNIT_TESTS += tests/unit/domain_set_test
tests_unit_domain_set_test_SOURCES = tests/unit/domain_set_test.cpp
tests_unit_domain_set_test_LDADD = libdemail-message.a libdemail-base.a $(UNIT_LIBS) $(OPENSSL_LIBS) $(IDN_LIBS)

UNIT_TESTS += tests/unit/ended_providers_test
tests_unit_ended_providers_test_SOURCES = tests/unit/ended_providers_test.cpp
tests_unit_ended_providers_test_LDADD = libdemail-message.a libdemail-base.a $(UNIT_LIBS) $(OPENSSL_LIBS) $(IDN_LIBS)

EXTRA_DIST += tests/data/make-seal-vectors.py tests/data/seal-vectors.txt

UNIT_TESTS += tests/unit/options_test
tests_unit_options_test_SOURCES = tests/unit/options_test.cpp
tests_unit_options_test_LDADD = libdemail-message.a libdemail-base.a $(UNIT_LIBS) $(OPENSSL_LIBS) $(IDN_LIBS)

UNIT_TESTS += tests/unit/private_id_test
tests_unit_private_id_test_SOURCES = tests/unit/private_id_test.cpp
tests_unit_private_id_test_LDADD = libdemail-message.a libdemail-base.a $(UNIT_LIBS) $(OPENSSL_LIBS) $(IDN_LIBS)

UNIT_TESTS += tests/unit/recipients_test
tests_unit_recipients_test_SOURCES = tests/unit/recipients_test.cpp
tests_unit_recipients_test_LDADD = libdemail-message.a libdemail-base.a $(UNIT_LIBS) $(OPENSSL_LIBS) $(IDN_LIBS)

UNIT_TESTS += tests/unit/display_name_test
tests_unit_display_name_test_SOURCES = tests/unit/display_name_test.cpp
tests_unit_display_name_test_LDADD = libdemail-message.a libdemail-base.a $(UNIT_LIBS) $(OPENSSL_LIBS) $(IDN_LIBS)

UNIT_TESTS += tests/unit/seal_test
tests_unit_seal_test_SOURCES = tests/unit/seal_test.cpp
tests_unit_seal_test_LDADD = libdemail-message.a libdemail-base.a $(UNIT_LIBS) $(OPENSSL_LIBS) $(IDN_LIBS)

UNIT_TESTS += tests/unit/seal_vectors_test
tests_unit_seal_vectors_test_SOURCES = tests/unit/seal_vectors_test.cpp
tests_unit_seal_vectors_test_LDADD = libdemail-message.a libdemail-base.a $(UNIT_LIBS) $(OPENSSL_LIBS) $(IDN_LIBS)

UNIT_TESTS += tests/unit/seal_random_test
tests_unit_seal_random_test_SOURCES = tests/unit/seal_random_test.cpp
tests_unit_seal_random_test_LDADD = libdemail-message.a libdemail-base.a $(UNIT_LIBS) $(OPENSSL_LIBS) $(IDN_LIBS)

UNIT_TESTS += tests/unit/sender_table_test
tests_unit_sender_table_test_SOURCES = tests/unit/sender_table_test.cpp
tests_unit_sender_table_test_LDADD = libdemail-message.a libdemail-base.a $(UNIT_LIBS) $(OPENSSL_LIBS) $(IDN_LIBS)
UNIT_TESTS += tests/unit/rights_test
tests_unit_rights_test_SOURCES = tests/unit/rights_test.cpp
tests_unit_rights_test_LDADD = libdemail-message.a libdemail-base.a $(UNIT_LIBS) $(OPENSSL_LIBS) $(IDN_LIBS)

UNIT_TESTS += tests/unit/ip_address_test
tests_unit_ip_address_test_SOURCES = tests/unit/ip_address_test.cpp
tests_unit_ip_address_test_LDADD = libdemail-message.a libdemail-base.a $(UNIT_LIBS) $(OPENSSL_LIBS) $(IDN_LIBS)

UNIT_TESTS += tests/unit/content_test
tests_unit_content_test_SOURCES = tests/unit/content_test.cpp tests/unit/content_fixture.hpp
tests_unit_content_test_LDADD = libdemail-message.a libdemail-base.a $(UNIT_LIBS) $(OPENSSL_LIBS) $(IDN_LIBS)

UNIT_TESTS += tests/unit/originator_test
tests_unit_originator_test_SOURCES = tests/unit/originator_test.cpp tests/unit/content_fixture.hpp
tests_unit_originator_test_LDADD = libdemail-message.a libdemail-base.a $(UNIT_LIBS) $(OPENSSL_LIBS) $(IDN_LIBS)

UNIT_TESTS += tests/unit/mailboxes_test
tests_unit_mailboxes_test_SOURCES = tests/unit/mailboxes_test.cpp
tests_unit_mailboxes_test_LDADD = libdemail-message.a libdemail-base.a $(UNIT_LIBS) $(OPENSSL_LIBS) $(IDN_LIBS)

UNIT_TESTS += tests/unit/header_test
tests_unit_header_test_SOURCES = tests/unit/header_test.cpp
tests_unit_header_test_LDADD = libdemail-message.a libdemail-base.a $(UNIT_LIBS) $(OPENSSL_LIBS)

UNIT_TESTS += tests/unit/message_parsers_test
tests_unit_message_parsers_test_SOURCES = tests/unit/message_parsers_test.cpp
tests_unit_message_parsers_test_LDADD = libdemail-message.a libdemail-base.a $(UNIT_LIBS) $(OPENSSL_LIBS) $(IDN_LIBS)
