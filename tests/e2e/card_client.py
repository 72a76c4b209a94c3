#!/usr/bin/python3
"""A program that signs by a PKCS#11 module without pause, until its standard input ends: one
session, one key handle, both kept whatever happens. A line of JSON for each signature.

    card_client.py MODULE KEY-LABEL PAUSE
"""
import json
import os
import select
import sys
import time

import PyKCS11
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from PyKCS11 import LowLevel as ck


def find(session, kind, label):
    found = session.findObjects([(ck.CKA_CLASS, kind), (ck.CKA_LABEL, label)])
    if len(found) != 1:
        raise SystemExit(f"{len(found)} objects of class {kind} are called {label}")
    return found[0]


def main():
    module, label, pause = sys.argv[1], sys.argv[2], float(sys.argv[3])
    library = PyKCS11.PyKCS11Lib()
    library.load(module)
    session = library.openSession(library.getSlotList(tokenPresent=True)[0])
    session.login(None)
    key = find(session, ck.CKO_PRIVATE_KEY, label)
    certificate = session.getAttributeValue(find(session, ck.CKO_CERTIFICATE, label),
                                            [ck.CKA_VALUE])[0]
    public = x509.load_der_x509_certificate(bytes(certificate)).public_key()
    mechanism = PyKCS11.Mechanism(ck.CKM_SHA256_RSA_PKCS)
    while not select.select([sys.stdin], [], [], pause)[0]:
        text = os.urandom(32)
        began = time.monotonic()
        error = None
        try:
            signature = bytes(session.sign(key, text, mechanism))
        except PyKCS11.PyKCS11Error as fault:
            error = str(fault)
        seconds = time.monotonic() - began
        if error is None:
            public.verify(signature, text, padding.PKCS1v15(), hashes.SHA256())
        print(json.dumps({"error": error, "seconds": round(seconds, 4)}), flush=True)
        if error:
            time.sleep(0.1)


if __name__ == "__main__":
    main()
