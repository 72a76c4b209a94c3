EXTRA_DIST += contrib/sandbox/pki.py contrib/sandbox/provider/config.py
