noinst_LIBRARIES += libdemail-crypto.a
libdemail_crypto_a_SOURCES = \
	milter/crypto/key_uri.hpp \
	milter/crypto/token_key.hpp
