noinst_LIBRARIES += libdemail-admin.a
libdemail_admin_a_CPPFLAGS = $(AM_CPPFLAGS) $(TOML_CFLAGS) $(FMT_CFLAGS) $(SYSTEMD_CFLAGS)
libdemail_admin_a_SOURCES = \
	milter/admin/account_section.cpp \
	milter/admin/account_section.hpp \
	milter/admin/command_line.cpp \
	milter/admin/configuration.cpp \
	milter/admin/configuration.hpp \
	milter/admin/configuration_files.cpp \
	milter/admin/daemon.cpp \
	milter/admin/daemon.hpp \
	milter/admin/toml_section.cpp \
	milter/admin/toml_section.hpp

libdemail_admin_a_SOURCES += \
	milter/admin/control.cpp \
	milter/admin/control.hpp
