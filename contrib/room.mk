EXTRA_DIST += tests/e2e/provider_client.py tests/e2e/provider_fixture.py \
	tests/e2e/test_provider.py tests/e2e/test_provider_faults.py \
	tests/e2e/test_provider_refusals.py

# The sandbox is installed as a tree like this one, so that it finds schema and tables in both.
sandboxdir = $(datadir)/demail-sandbox
nobase_dist_sandbox_SCRIPTS = \
	contrib/sandbox/demail-provider \
	contrib/sandbox/demail-virtual-card \
	contrib/sandbox/pcscd.py \
	contrib/sandbox/sandbox.py \
	contrib/sandbox/sink.py \
	contrib/sandbox/tour.py \
	contrib/sandbox/virtual_card.py
nobase_dist_sandbox_DATA = \
	contrib/ended-providers.toml \
	contrib/postfix/strange-address \
	contrib/postfix/strip-seal \
	contrib/postfix/strip-seal-lines \
	contrib/sandbox/card_token.py \
	contrib/sandbox/cardd.py \
	contrib/sandbox/client.py \
	contrib/sandbox/console.py \
	contrib/sandbox/daemons.py \
	contrib/sandbox/namespaces.py \
	contrib/sandbox/pki.py \
	contrib/sandbox/postfix.py \
	contrib/sandbox/process.py \
	contrib/sandbox/provider/__init__.py \
	contrib/sandbox/provider/config.py \
	contrib/sandbox/provider/envelope.py \
	contrib/sandbox/provider/faults.py \
	contrib/sandbox/provider/message_checks.py \
	contrib/sandbox/provider/mtom.py \
	contrib/sandbox/provider/operations.py \
	contrib/sandbox/provider/server.py \
	contrib/sandbox/provider/service.py \
	contrib/sandbox/provider/signing.py \
	contrib/sandbox/provider/store.py \
	contrib/sandbox/provider/wssec.py \
	contrib/sandbox/softhsm.py \
	contrib/sandbox/tcos/__init__.py \
	contrib/sandbox/tcos/apdu.py \
	contrib/sandbox/tcos/card.py \
	contrib/sandbox/tcos/control.py \
	contrib/sandbox/tcos/counters.py \
	contrib/sandbox/tcos/faults.py \
	contrib/sandbox/tcos/files.py \
	contrib/sandbox/tcos/keys.py \
	contrib/sandbox/tcos/passwords.py \
	contrib/sandbox/tcos/personalise.py \
	contrib/sandbox/tcos/profiles.py \
	contrib/sandbox/tcos/slot.py \
	contrib/sandbox/tcos/store.py \
	contrib/sandbox/tcos/vpcd.py \
	xsd/provider.xsd
bin_SCRIPTS = contrib/sandbox/demail-sandbox
contrib/sandbox/demail-sandbox: contrib/sandbox/demail-sandbox.in Makefile
	$(AM_V_GEN)$(MKDIR_P) $(@D) && \
		sed 's|@datadir[@]|$(datadir)|; s|@sbindir[@]|$(sbindir)|' $(srcdir)/$@.in >$@.part && \
		chmod +x $@.part && mv $@.part $@
CLEANFILES += contrib/sandbox/demail-sandbox
EXTRA_DIST += contrib/sandbox/demail-sandbox.in

EXTRA_DIST += \
	contrib/check-package.sh \
	contrib/check.sh \
	contrib/demo.sh \
	contrib/packages.sh

pkgpostfixdir = $(datadir)/postfix-demail
EXTRA_DIST += contrib/postfix/beside.md contrib/postfix/make-strange-address.py
dist_pkgpostfix_DATA = contrib/postfix/bounce.de contrib/postfix/strange-address contrib/postfix/strip-seal \
	contrib/postfix/strip-seal-lines contrib/ended-providers.toml

dist_man_MANS = \
	contrib/man/cardd.toml.5 \
	contrib/man/demail-cardd.8 \
	contrib/man/demail-milter.8 \
	contrib/man/demail-relay.8 \
	contrib/man/demail-directory.8 \
	contrib/man/demail-sandbox.1 \
	contrib/man/demail.toml.5 \
	contrib/man/demailctl.1
