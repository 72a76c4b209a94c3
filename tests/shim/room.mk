# A module that tests load in front of SoftHSM. A rule of its own, since Automake makes shared
# objects by libtool only.
pkcs11_shim = tests/shim/pkcs11-shim.so
pkcs11_shim_sources = tests/shim/control.cpp tests/shim/control.hpp tests/shim/pkcs11-shim.cpp
$(pkcs11_shim): $(pkcs11_shim_sources)
	$(AM_V_GEN)$(MKDIR_P) tests/shim && $(CXX) $(AM_CPPFLAGS) $(P11KIT_CFLAGS) $(CPPFLAGS) \
	  $(AM_CXXFLAGS) $(CXXFLAGS) -fPIC -fvisibility=hidden -shared $(AM_LDFLAGS) $(LDFLAGS) -o $@ \
	  $(srcdir)/tests/shim/control.cpp $(srcdir)/tests/shim/pkcs11-shim.cpp $(OPENSSL_LIBS) -ldl
check_DATA = $(pkcs11_shim)
EXTRA_DIST += $(pkcs11_shim_sources)
CLEANFILES += $(pkcs11_shim)

# Preloaded into demail-relay by the tests that kill it.
crash_shim = tests/shim/crash-shim.so
crash_shim_sources = tests/shim/crash_acts.cpp tests/shim/crash_acts.hpp tests/shim/crash-shim.cpp
$(crash_shim): $(crash_shim_sources)
	$(AM_V_GEN)$(MKDIR_P) tests/shim && $(CXX) $(CPPFLAGS) $(WARNINGS) $(CXXFLAGS) -U_FORTIFY_SOURCE \
	  -fPIC -fvisibility=hidden -shared $(LDFLAGS) -o $@ \
	  $(srcdir)/tests/shim/crash_acts.cpp $(srcdir)/tests/shim/crash-shim.cpp -ldl
check_DATA += $(crash_shim)
EXTRA_DIST += $(crash_shim_sources)
CLEANFILES += $(crash_shim)
