"""No spelling of a De-Mail address leaves to the Internet, by whatever way the letter comes in."""

from harness import ANNA, main, message
from leak_case import LeakCase
from spellings import INNOCENT


class Leaks(LeakCase):
    def test_the_table_holds_at_least_150_spellings_of_de_mail_addresses(self):
        self.assertGreaterEqual(len(self.spellings), 150)
        self.assertEqual([one for one in self.spellings if not self.reader.leaks(one)], [])
        self.assertEqual([one for one in INNOCENT if self.reader.leaks(one)], [])

    def test_no_spelling_leaves_by_any_way_in(self):
        self.through()
        self.box.postfix.wait_empty(90)
        self.no_leak()

    def test_innocent_addresses_leave(self):
        for address in INNOCENT:
            self.send([address], message(ANNA, ["ida@internet.example"]), parameters=" SMTPUTF8")
        kept = self.kept("internet", len(INNOCENT))
        self.assertEqual(sorted(entry["recipients"][0].lower() for entry in kept),
                         sorted(one.lower() for one in INNOCENT))


if __name__ == "__main__":
    main()
