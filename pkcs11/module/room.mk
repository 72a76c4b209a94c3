# demail-tcos-pkcs11.so: PKCS#11 for every program on the machine, by demail-cardd.
pkcs11dir = $(libdir)/pkcs11
pkcs11_LTLIBRARIES = demail-tcos-pkcs11.la
demail_tcos_pkcs11_la_CPPFLAGS = $(AM_CPPFLAGS) $(P11KIT_CFLAGS)
demail_tcos_pkcs11_la_CXXFLAGS = $(AM_CXXFLAGS) -fvisibility=hidden
demail_tcos_pkcs11_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared \
	-Wl,--version-script=$(srcdir)/pkcs11/module/exports.map -Wl,-z,relro,-z,now
EXTRA_demail_tcos_pkcs11_la_DEPENDENCIES = pkcs11/module/exports.map
EXTRA_DIST += pkcs11/module/exports.map
demail_tcos_pkcs11_la_LIBADD = $(OPENSSL_LIBS)
demail_tcos_pkcs11_la_SOURCES = \
	pkcs11/base/handle.hpp \
	pkcs11/base/peer.cpp \
	pkcs11/base/peer.hpp \
	pkcs11/base/secret.cpp \
	pkcs11/base/secret.hpp \
	$(wire_sources) \
	pkcs11/module/attributes.cpp \
	pkcs11/module/call_parts.hpp \
	pkcs11/module/crypto.cpp \
	pkcs11/module/crypto.hpp \
	pkcs11/module/daemon.cpp \
	pkcs11/module/daemon.hpp \
	pkcs11/module/decrypt_calls.cpp \
	pkcs11/module/digest_calls.cpp \
	pkcs11/module/function_list.cpp \
	pkcs11/module/function_list.hpp \
	pkcs11/module/general_calls.cpp \
	pkcs11/module/mechanism.cpp \
	pkcs11/module/mechanism.hpp \
	pkcs11/module/object.cpp \
	pkcs11/module/object.hpp \
	pkcs11/module/object_calls.cpp \
	pkcs11/module/operation.cpp \
	pkcs11/module/operation.hpp \
	pkcs11/module/process.cpp \
	pkcs11/module/process.hpp \
	pkcs11/module/refused.hpp \
	pkcs11/module/rsa_der.cpp \
	pkcs11/module/rsa_der.hpp \
	pkcs11/module/say.cpp \
	pkcs11/module/say.hpp \
	pkcs11/module/session.cpp \
	pkcs11/module/session.hpp \
	pkcs11/module/session_calls.cpp \
	pkcs11/module/sign_calls.cpp \
	pkcs11/module/slot_calls.cpp \
	pkcs11/module/state.hpp \
	pkcs11/module/tokens.cpp \
	pkcs11/module/tokens.hpp \
	pkcs11/module/unsupported_calls.cpp

# Programs load it by its name; nobody links with it.
install-data-hook:
	rm -f $(DESTDIR)$(pkcs11dir)/demail-tcos-pkcs11.la
uninstall-hook:
	rm -f $(DESTDIR)$(pkcs11dir)/demail-tcos-pkcs11.so

# p11-kit finds the module by this file; a name without a path in p11-kit's own folder of modules.
p11kitmodules_DATA = pkcs11/module/demail-tcos.module
pkcs11/module/demail-tcos.module: Makefile
	$(AM_V_GEN)$(MKDIR_P) pkcs11/module && \
	case '$(pkcs11dir)' in \
	'$(P11KIT_MODULE_PATH)') folder= ;; \
	*) folder='$(pkcs11dir)/' ;; \
	esac && \
	{ echo '# The cards of demail-cardd, for every program that uses p11-kit.'; \
	  echo "module: $${folder}demail-tcos-pkcs11.so"; } > $@
CLEANFILES += pkcs11/module/demail-tcos.module

# These load the module as it was built.
pkcs11_world_sources = \
	tests/unit/card_double.cpp \
	tests/unit/card_double.hpp \
	tests/unit/certificates.cpp \
	tests/unit/certificates.hpp \
	tests/unit/pkcs11_world.cpp \
	tests/unit/pkcs11_world.hpp \
	$(scripted_daemon_sources)
pkcs11_world_libraries = libdemail-wire.a libdemail-base.a $(UNIT_LIBS) $(FMT_LIBS) $(OPENSSL_LIBS)

UNIT_TESTS += tests/unit/pkcs11_token_test
tests_unit_pkcs11_token_test_CPPFLAGS = $(AM_CPPFLAGS) $(P11KIT_CFLAGS)
tests_unit_pkcs11_token_test_SOURCES = tests/unit/pkcs11_token_test.cpp $(pkcs11_world_sources)
tests_unit_pkcs11_token_test_LDADD = $(pkcs11_world_libraries)
EXTRA_tests_unit_pkcs11_token_test_DEPENDENCIES = demail-tcos-pkcs11.la

UNIT_TESTS += tests/unit/pkcs11_objects_test
tests_unit_pkcs11_objects_test_CPPFLAGS = $(AM_CPPFLAGS) $(P11KIT_CFLAGS)
tests_unit_pkcs11_objects_test_SOURCES = tests/unit/pkcs11_objects_test.cpp $(pkcs11_world_sources)
tests_unit_pkcs11_objects_test_LDADD = $(pkcs11_world_libraries)
EXTRA_tests_unit_pkcs11_objects_test_DEPENDENCIES = demail-tcos-pkcs11.la

UNIT_TESTS += tests/unit/pkcs11_signing_test
tests_unit_pkcs11_signing_test_CPPFLAGS = $(AM_CPPFLAGS) $(P11KIT_CFLAGS)
tests_unit_pkcs11_signing_test_SOURCES = tests/unit/pkcs11_signing_test.cpp tests/unit/pkcs11_session.hpp $(pkcs11_world_sources)
tests_unit_pkcs11_signing_test_LDADD = $(pkcs11_world_libraries)
EXTRA_tests_unit_pkcs11_signing_test_DEPENDENCIES = demail-tcos-pkcs11.la

UNIT_TESTS += tests/unit/pkcs11_decrypting_test
tests_unit_pkcs11_decrypting_test_CPPFLAGS = $(AM_CPPFLAGS) $(P11KIT_CFLAGS)
tests_unit_pkcs11_decrypting_test_SOURCES = tests/unit/pkcs11_decrypting_test.cpp tests/unit/pkcs11_session.hpp $(pkcs11_world_sources)
tests_unit_pkcs11_decrypting_test_LDADD = $(pkcs11_world_libraries)
EXTRA_tests_unit_pkcs11_decrypting_test_DEPENDENCIES = demail-tcos-pkcs11.la

UNIT_TESTS += tests/unit/pkcs11_process_test
tests_unit_pkcs11_process_test_CPPFLAGS = $(AM_CPPFLAGS) $(P11KIT_CFLAGS)
tests_unit_pkcs11_process_test_SOURCES = tests/unit/pkcs11_process_test.cpp $(pkcs11_world_sources)
tests_unit_pkcs11_process_test_LDADD = $(pkcs11_world_libraries)
EXTRA_tests_unit_pkcs11_process_test_DEPENDENCIES = demail-tcos-pkcs11.la

EXTRA_PROGRAMS += tests/e2e/card_signer
CLEANFILES += tests/e2e/card_signer$(EXEEXT)
check-local: tests/e2e/card_signer$(EXEEXT)
tests_e2e_card_signer_CPPFLAGS = $(AM_CPPFLAGS) $(P11KIT_CFLAGS)
tests_e2e_card_signer_SOURCES = tests/e2e/card_signer.cpp
tests_e2e_card_signer_LDADD = $(FMT_LIBS) -ldl

# Ten thousand signatures under valgrind; tests/fuzz/room.mk has the rest of make soak.
soak: soak-leaks
soak-leaks: all tests/e2e/card_signer$(EXEEXT)
	SRCDIR=$(abs_top_srcdir) BUILDDIR=$(abs_top_builddir) SIGNATURES=$${SIGNATURES-10000} \
		$(PYTHON) $(srcdir)/tests/e2e/test_pkcs11_leaks.py
.PHONY: soak-leaks

EXTRA_DIST += \
	tests/e2e/pkcs11_programs.py \
	tests/e2e/pkcs11_signer.py \
	tests/e2e/test_pkcs11_conformance.py \
	tests/e2e/test_pkcs11_heal.py \
	tests/e2e/test_pkcs11_leaks.py \
	tests/e2e/test_pkcs11_module.py
