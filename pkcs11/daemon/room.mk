# What every daemon does alike: command line, configuration file, signals, control socket.
noinst_LIBRARIES += libdemail-daemon.a
libdemail_daemon_a_CPPFLAGS = $(AM_CPPFLAGS) $(TOML_CFLAGS) $(FMT_CFLAGS) $(SYSTEMD_CFLAGS)
libdemail_daemon_a_SOURCES = \
	pkcs11/daemon/command_line.cpp \
	pkcs11/daemon/command_line.hpp \
	pkcs11/daemon/control.cpp \
	pkcs11/daemon/control.hpp \
	pkcs11/daemon/exit.hpp \
	pkcs11/daemon/fault.hpp \
	pkcs11/daemon/signals.cpp \
	pkcs11/daemon/signals.hpp \
	pkcs11/daemon/toml_file.cpp \
	pkcs11/daemon/toml_file.hpp \
	pkcs11/daemon/toml_section.cpp \
	pkcs11/daemon/toml_section.hpp
