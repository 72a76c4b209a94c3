# What the daemons need of a host with systemd. make fills in the directories: configure writes
# ${prefix} where make knows a path.
units = \
	milter/units/demail-directory.service \
	milter/units/demail-milter.service \
	milter/units/demail-purge.service \
	milter/units/demail-relay.service
nodist_systemdsystemunit_DATA = $(units)
dist_systemdsystemunit_DATA = milter/units/demail-directory.timer milter/units/demail-purge.timer
$(units): %: %.in Makefile
	$(AM_V_GEN)$(MKDIR_P) $(@D) && \
		sed 's|@bindir[@]|$(bindir)|g; s|@sbindir[@]|$(sbindir)|g' $< >$@.part && mv $@.part $@
CLEANFILES += $(units)
EXTRA_DIST += $(units:=.in)

sysusersdir = $(prefix)/lib/sysusers.d
dist_sysusers_DATA = milter/units/sysusers.d/postfix-demail.conf
tmpfilesdir = $(prefix)/lib/tmpfiles.d
dist_tmpfiles_DATA = milter/units/tmpfiles.d/postfix-demail.conf

# The administrator's own configuration is neither overwritten nor removed.
configurationdir = $(sysconfdir)/demail
configuration = demail.toml cardd.toml
EXTRA_DIST += contrib/demail.toml contrib/cardd.toml
install-data-local:
	$(MKDIR_P) '$(DESTDIR)$(configurationdir)'
	for file in $(configuration); do \
		test -e '$(DESTDIR)$(configurationdir)'/$$file || \
			$(INSTALL_DATA) '$(srcdir)/contrib'/$$file '$(DESTDIR)$(configurationdir)'/$$file || exit 1; \
	done
uninstall-local:
	for file in $(configuration); do \
		! cmp -s '$(srcdir)/contrib'/$$file '$(DESTDIR)$(configurationdir)'/$$file || \
			rm -f '$(DESTDIR)$(configurationdir)'/$$file; \
	done

EXTRA_DIST += tests/install_test.sh tests/package_test.sh tests/units_test.sh
EXTRA_DIST += \
	debian/changelog \
	debian/control \
	debian/copyright \
	debian/demail-sandbox.install \
	debian/demailctl.install \
	debian/postfix-demail.README.Debian \
	debian/postfix-demail.docs \
	debian/postfix-demail.install \
	debian/postfix-demail.postinst \
	debian/postfix-demail.postrm \
	debian/postfix-demail.prerm \
	debian/rules \
	debian/source/format
