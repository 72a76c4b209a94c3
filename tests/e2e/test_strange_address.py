"""The table strange-address, asked by postmap(1) as trivial-rewrite(8) asks it."""

import importlib.util
import os
import subprocess
import tempfile
import unittest

SOURCE = os.path.realpath(os.environ.get("SRCDIR") or
                          os.path.join(os.path.dirname(__file__), "../.."))
TABLE = os.path.join(SOURCE, "contrib/postfix/strange-address")

specification = importlib.util.spec_from_file_location(
    "make_strange_address", os.path.join(SOURCE, "contrib/postfix/make-strange-address.py"))
generator = importlib.util.module_from_spec(specification)
specification.loader.exec_module(generator)

INNOCENT = """\
ida@internet.example ida@müller.example ida@MÜLLER.EXAMPLE ida@ÄÖÜ.example ida@straße.example
ida@xn--mller-kva.example müller@internet.example MÜLLER@internet.example
mu\u0308ller@internet.example ｉｄａ@internet.example ida@éàîõñåøæœ.example ida@łódź.example
ida@почта.рф ida@ПОЧТА.РФ ida@παράδειγμα.ελ ida@例え.jp ida@ドメイン.jp ida@예시.한국 ida@مثال.مصر
ida@شرکت\u200cها.example ida@उदाहरण.भारत ida@বাংলা.example ida@ตัวอย่าง.ไทย ida@việtnam.example ida@ćđšž.example
100%@internet.example ida%x@internet.example ida%inner.example@internet.example
inner.example!ida@internet.example wow!@internet.example "a@inner.example"@internet.example
b+ida=firm.de-mail.de@lists.example SRS0=a=b=firm.de-mail.de=ida@internet.example
ida@de-mail.de.example ida@not-de-mail.de ida%not-de-mail.de@internet.example ida@[192.0.2.1]
ida%firm.de-mail.de.example@internet.example bob@other.de-mail.de BOB@OTHER.DE-MAIL.DE bob@de-mail.de
""".split()


class StrangeAddress(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.etc = directory.name
        for name in ("main.cf", "master.cf"):
            open(os.path.join(cls.etc, name), "w", encoding="ascii").close()

    def refused(self, addresses):
        """Those of the addresses that the table refuses, and what postmap complains of."""
        asked = subprocess.run(["postmap", "-c", self.etc, "-q", "-", f"regexp:{TABLE}"],
                               input="\n".join(addresses) + "\n", capture_output=True,
                               encoding="utf-8", check=False)
        return [line.partition("\t")[0] for line in asked.stdout.splitlines()], asked.stderr

    def test_the_table_is_what_its_script_writes(self):
        icu = generator.Icu()
        with open(TABLE, encoding="utf-8") as file:
            text = file.read()
        if f"Unicode {icu.unicode_version}." not in text:
            self.skipTest(f"the table was made with another Unicode than {icu.unicode_version}")
        self.assertEqual(generator.table(icu), text)

    def test_all_that_postfix_would_read_as_a_domain_of_ascii_is_refused(self):
        """Every character of Unicode that ICU makes ASCII or nothing of, within a De-Mail domain,
        before and behind it and as its dot."""
        icu, spellings = generator.Icu(), []
        for code in (*range(0x80, 0xD800), *range(0xE000, 0x110000)):
            read = icu.a_labels(f"a{chr(code)}b")
            if read is not None and not read.startswith("xn--"):
                spellings += [f"u@firm{chr(code)}.de-mail.de", f"u@{chr(code)}.de-mail.de",
                              f"u@firm.de-mail{chr(code)}de", f"u%{chr(code)}.de-mail.de@a.example",
                              f"{chr(code)}.example!u@a.example"]
        self.assertGreater(len(spellings), 5000)
        refused, complaints = self.refused(spellings)
        self.assertEqual(complaints, "")
        self.assertEqual(sorted(set(spellings) - set(refused)), [])

    def test_no_innocent_address_is_refused(self):
        self.assertEqual(self.refused(INNOCENT), ([], ""))


if __name__ == "__main__":
    unittest.main(verbosity=2)
