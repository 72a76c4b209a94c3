xsddir = $(pkgdatadir)/xsd
dist_xsd_DATA = xsd/provider.xsd xsd/provider.wsdl
