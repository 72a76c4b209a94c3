"""A milter as firms have one: adds a line to every body. By pymilter.

    disclaimer_milter.py SOCKET LINE
"""

import os
import sys

import Milter


class Disclaimer(Milter.Base):
    def envfrom(self, *_):
        self.text = b""  # pylint: disable=attribute-defined-outside-init
        return Milter.CONTINUE

    def body(self, piece):
        self.text += piece
        return Milter.CONTINUE

    def eom(self):
        self.replacebody(self.text + sys.argv[2].encode() + b"\r\n")
        return Milter.CONTINUE


if __name__ == "__main__":
    os.umask(0o007)
    Milter.factory = Disclaimer
    Milter.set_flags(Milter.CHGBODY)
    Milter.runmilter("disclaimer", "local:" + sys.argv[1], 60)
