noinst_LIBRARIES += libdemail-soap.a
libdemail_soap_a_SOURCES = \
	milter/soap/canonical.cpp \
	milter/soap/canonical.hpp \
	milter/soap/client_key.cpp \
	milter/soap/client_key.hpp \
	milter/soap/document.cpp \
	milter/soap/document.hpp \
	milter/soap/envelope.cpp \
	milter/soap/envelope.hpp \
	milter/soap/https.cpp \
	milter/soap/https.hpp \
	milter/soap/infoset_digest.cpp \
	milter/soap/infoset_digest.hpp \
	milter/soap/instant.cpp \
	milter/soap/instant.hpp \
	milter/soap/names.hpp \
	milter/soap/payload.cpp \
	milter/soap/payload.hpp \
	milter/soap/post.cpp \
	milter/soap/post.hpp \
	milter/soap/provider.hpp \
	milter/soap/reference_provider.cpp \
	milter/soap/reference_provider.hpp \
	milter/soap/reply.cpp \
	milter/soap/reply.hpp \
	milter/soap/reply_signature.cpp \
	milter/soap/reply_signature.hpp \
	milter/soap/request.cpp \
	milter/soap/request.hpp \
	milter/soap/schema.cpp \
	milter/soap/schema.hpp \
	milter/soap/signature.cpp \
	milter/soap/signature.hpp \
	milter/soap/verify.cpp \
	milter/soap/verify.hpp \
	milter/soap/xml_scan.cpp \
	milter/soap/xml_text.cpp \
	milter/soap/xml_text.hpp
libdemail_soap_a_CPPFLAGS = $(AM_CPPFLAGS) $(XML_CFLAGS) $(CURL_CFLAGS)
SOAP_LIBS = $(CURL_LIBS) $(XML_LIBS) $(FMT_LIBS) $(OPENSSL_LIBS)
