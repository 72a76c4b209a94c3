EXTRA_DIST += tests/unit/check.hpp
UNIT_LIBS = $(CMOCKA_LIBS)
