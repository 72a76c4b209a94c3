EXTRA_DIST += contrib/sandbox/pki.py contrib/sandbox/provider/config.py

# The sandbox's host, less the provider simulator (which has its lines below provider/).
EXTRA_DIST += \
	contrib/sandbox/client.py \
	contrib/sandbox/daemons.py \
	contrib/sandbox/postfix.py \
	contrib/sandbox/process.py \
	contrib/sandbox/sandbox.py \
	contrib/sandbox/sink.py \
	contrib/sandbox/softhsm.py

pkgpostfixdir = $(datadir)/postfix-demail
dist_pkgpostfix_DATA = contrib/postfix/strip-seal
