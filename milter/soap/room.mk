noinst_LIBRARIES += libdemail-soap.a
libdemail_soap_a_SOURCES = \
	milter/soap/provider.hpp \
	milter/soap/reference_provider.hpp
