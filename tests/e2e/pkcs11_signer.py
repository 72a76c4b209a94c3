"""A program that signs without pause through the PKCS#11 module until a file appears; prints how
often, and every error. pkcs11_signer.py STOP-FILE"""
import os
import sys
import time

from PyKCS11 import PyKCS11Error

from pkcs11_programs import Signer


def main(stop):
    signer = Signer()
    count, errors, longest = 0, [], 0.0
    print("begun", flush=True)
    while not os.path.exists(stop) or count == 0:
        begin = time.monotonic()
        try:
            signature = signer.sign(b"text %d" % count)
            assert len(signature) == 256
            count += 1
        except PyKCS11Error as error:
            errors.append(str(error))
            if len(errors) > 20:
                break
        longest = max(longest, time.monotonic() - begin)
    print(f"signatures {count} longest {longest:.1f}")
    for error in errors:
        print(f"error {error}")


if __name__ == "__main__":
    main(sys.argv[1])
