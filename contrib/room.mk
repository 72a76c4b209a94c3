EXTRA_DIST += contrib/sandbox/pki.py contrib/sandbox/demail-provider \
	contrib/sandbox/provider/__init__.py contrib/sandbox/provider/config.py \
	contrib/sandbox/provider/envelope.py contrib/sandbox/provider/faults.py \
	contrib/sandbox/provider/message_checks.py contrib/sandbox/provider/mtom.py \
	contrib/sandbox/provider/operations.py contrib/sandbox/provider/server.py \
	contrib/sandbox/provider/service.py contrib/sandbox/provider/signing.py \
	contrib/sandbox/provider/store.py contrib/sandbox/provider/wssec.py
EXTRA_DIST += tests/e2e/provider_client.py tests/e2e/provider_fixture.py \
	tests/e2e/test_provider.py tests/e2e/test_provider_faults.py \
	tests/e2e/test_provider_refusals.py

# The sandbox's host, less the provider simulator (which has its lines below provider/).
EXTRA_DIST += \
	contrib/sandbox/client.py \
	contrib/sandbox/daemons.py \
	contrib/sandbox/postfix.py \
	contrib/sandbox/process.py \
	contrib/sandbox/sandbox.py \
	contrib/sandbox/sink.py \
	contrib/sandbox/softhsm.py \
	contrib/sandbox/tour.py \
	contrib/check.sh \
	contrib/demo.sh \
	contrib/packages.sh

pkgpostfixdir = $(datadir)/postfix-demail
dist_pkgpostfix_DATA = contrib/postfix/strip-seal

dist_man_MANS = \
	contrib/man/demail-milter.8 \
	contrib/man/demail-relay.8 \
	contrib/man/demail.toml.5 \
	contrib/man/demailctl.1
