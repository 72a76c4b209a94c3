noinst_LIBRARIES += libdemail-dns.a
libdemail_dns_a_SOURCES = \
	milter/dns/de_mail_srv.cpp \
	milter/dns/de_mail_srv.hpp
DNS_LIBS = libdemail-dns.a -lresolv
