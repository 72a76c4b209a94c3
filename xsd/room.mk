xsddir = $(pkgdatadir)/xsd
dist_xsd_DATA =
