noinst_LIBRARIES += libdemail-admin.a
libdemail_admin_a_SOURCES = \
	milter/admin/configuration.hpp \
	milter/admin/daemon.hpp
