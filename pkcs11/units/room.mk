# What demail-cardd needs of a host with systemd and polkit.
card_units = pkcs11/units/demail-cardd.service
nodist_systemdsystemunit_DATA += $(card_units)
$(card_units): Makefile
	$(AM_V_GEN)$(MKDIR_P) $(@D) && \
		sed 's|@sbindir[@]|$(sbindir)|g' $(srcdir)/$@.in >$@.part && mv $@.part $@
pkcs11/units/demail-cardd.service: pkcs11/units/demail-cardd.service.in
CLEANFILES += $(card_units)
EXTRA_DIST += pkcs11/units/demail-cardd.service.in

dist_sysusers_DATA += pkcs11/units/sysusers.d/demail-pkcs11.conf
polkitrulesdir = $(datadir)/polkit-1/rules.d
dist_polkitrules_DATA = pkcs11/units/polkit/demail-cardd.rules
EXTRA_DIST += debian/demail-pkcs11.install
