"""A provider whose domain list is wrong or hostile: what becomes De-Mail is what contracts say,
mail to the named domain goes where it went before, and demailctl says why."""

from harness import main, wait_for
from domain_case import DomainCase

TOWN = "town.example"  # not below de-mail.de; an operator has accepted it
BASE = ["firm.de-mail.de", "other.de-mail.de", TOWN,
        *(f"n{number:02}.de-mail.de" for number in range(57))]  # 60: three are five per cent


class DomainAttack(DomainCase):
    @classmethod
    def prepare(cls):
        cls.provide(BASE)

    def setUp(self):
        self.refresh(BASE)
        if self.standing(TOWN) == (None, None):
            self.ctl("domains", "accept", TOWN)
        wait_for(self.base_stands, 30, "the list as it was")
        self.begin()

    def base_stands(self):
        text, index = self.text(), self.index()
        return all(text.get(name) == index.get(name) == "active" for name in BASE)

    # Names that are never taken

    def never(self, name, why, recipient, where):
        before = (self.text(), self.index())
        self.refresh([*BASE, name])
        said = f"{name.lower()}: {why}"
        wait_for(lambda: said in self.domains()["relay"]["refused"], 20, said)
        self.assertRegex(self.ctl("domains"), rf"(?m)^{name.lower().replace('*', '[*]')}.* refused"
                         .replace("[192", r"\[192").replace("1].*", r"1\].*"))
        self.assertEqual(self.domains()["relay"]["alarm"], "")
        self.assertEqual((self.text(), self.index()), before)
        self.assertEqual(self.standing(name), (None, None))
        self.goes_to(where, recipient)

    def test_a_free_mail_provider(self):
        self.never("gmail.com", "a free-mail provider's domain", "ida@gmail.com", "internet")

    def test_a_free_mail_provider_in_disguise(self):
        self.never("GMX.De.", "a free-mail provider's domain", "ida@gmx.de", "internet")

    def test_our_own_domain_of_mydestination(self):
        self.never("home.example", "one of our own domains", "ida@home.example", "mailboxes")

    def test_our_own_domain_of_virtual_mailboxes(self):
        self.never("firm.example", "one of our own domains", "kurt@firm.example", "mailboxes")

    def test_everything(self):
        self.never("*", "a wildcard", "ida@internet.example", "internet")

    def test_everything_below(self):
        self.never("*.example", "a wildcard", "ida@internet.example", "internet")

    def test_an_address_literal(self):
        self.never("[192.0.2.1]", "an address literal", "ida@[192.0.2.1]", "internet")

    def test_an_address(self):
        self.never("192.0.2.1", "an IP address", "ida@[192.0.2.1]", "internet")

    def test_a_single_label(self):
        self.never("intranet", "a single label", "ida@intranet", "internet")

    def test_a_public_suffix(self):
        self.never("co.uk", "a public suffix, not somebody's domain", "ida@firm.co.uk", "internet")

    def test_a_name_with_a_dot_in_front(self):
        self.never(".example", "not a domain name", "ida@internet.example", "internet")

    # Lists

    def stays(self, words):
        """The old list, with an alarm that has these words."""
        before = (self.text(), self.index())
        alarm = wait_for(lambda: self.domains()["relay"]["alarm"], 120, "an alarm")
        self.assertIn(words, alarm)
        self.assertIn("old list stays", alarm)
        self.assertIn(words, self.ctl("domains"))
        self.assertEqual((self.text(), self.index()), before)
        self.assertTrue(self.base_stands())
        # A De-Mail to one that is missing goes to the provider, not to the Internet.
        self.send(["ida@n56.de-mail.de"])
        wait_for(lambda: len(self.box.requests("Submit")) > self.before_submits)
        self.box.postfix.wait_empty()
        self.assertEqual(len(self.box.kept(self.box.internet)), self.before["internet"])

    def test_one_domain_only(self):
        self.refresh(["other.de-mail.de"])
        self.stays("changed 58 of 60 De-Mail domains at once")

    def test_no_domain_at_all(self):
        self.refresh([])
        self.stays("changed 59 of 60 De-Mail domains at once")

    def test_many_new_domains_with_one_of_our_own_among_them(self):
        self.refresh([*BASE, "home.example", *(f"new{number}.de-mail.de" for number in range(9))])
        self.stays("changed 9 of 60")
        self.goes_to("mailboxes", "ida@home.example")
        # Not even a person can make it De-Mail.
        self.ctl("domains", "accept", "home.example")
        self.refresh([*BASE, "home.example"])
        wait_for(lambda: "home.example: one of our own domains"
                 in self.domains()["relay"]["refused"], 20, "the refusal")
        self.assertEqual(self.standing("home.example"), (None, None))

    def test_a_million_domains(self):
        peak = self.box.relay.peak_rss()
        self.refresh([f"m{number}.de-mail.de" for number in range(1_000_000)])
        self.stays("longer than 1048576 bytes")
        self.assertLess(self.box.relay.peak_rss() - peak, 32 << 10)

    def test_three_of_sixty_may_change(self):
        self.refresh([*BASE[:-1], "new1.de-mail.de", "new2.de-mail.de"])
        for name, state in (("n56.de-mail.de", "ended"), ("new1.de-mail.de", "active")):
            wait_for(lambda name=name, state=state: self.standing(name) == (state, state), 30, name)
        self.assertEqual(self.domains()["relay"]["alarm"], "")

    def test_the_same_version_with_other_content_is_judged_by_the_same_rules(self):
        version = self.refresh(BASE)
        self.refresh(["other.de-mail.de"], version=version, full=True)
        self.stays("changed 58 of 60")
        self.refresh([name for name in BASE if name != TOWN], version=version, full=True)
        wait_for(lambda: self.standing(TOWN) == ("ended", "ended"), 30, "the end of a domain")

    def test_the_same_version_called_unchanged_ends_no_domain(self):
        version = self.refresh(BASE)
        wait_for(lambda: self.box.requests("GetDomains")[-1]["outcome"], 20, "the answer")
        before = (self.text(), self.index())
        self.refresh(BASE[:-1], version=version)
        self.assertEqual(self.domains()["relay"]["alarm"], "")
        self.assertEqual((self.text(), self.index()), before)

    # The life of a domain outside de-mail.de

    def test_a_domain_that_left_the_list_never_goes_to_the_internet(self):
        self.refresh([name for name in BASE if name != TOWN])
        wait_for(lambda: self.standing(TOWN) == ("ended", "ended"), 30, "the end of a domain")
        wait_for(lambda: " 5.1.2 " in self.ctl("test-address", f"ida@{TOWN}", "--from",
                                               "anna@firm.example", "--login", "anna"), 10)
        self.assertRegex(self.refused([f"ida@{TOWN}"]), r"^550 5\.1\.2 ")
        self.assertRegex(self.ctl("domains"), rf"(?m)^{TOWN} +ended +its mail is refused")
        self.nothing_left()
        self.ctl("domains", "forget", TOWN)
        wait_for(lambda: self.standing(TOWN) == (None, None), 30, "the domain to be forgotten")
        wait_for(lambda: "ordinary mail" in self.ctl(
            "test-address", f"ida@{TOWN}", "--from", "anna@firm.example", "--login", "anna"), 10)
        self.goes_to("internet", f"ida@{TOWN}")

    def test_a_new_domain_that_nothing_confirms_is_ordinary_until_accepted(self):
        village = "village.example"
        self.refresh([*BASE, village])
        wait_for(lambda: village in self.domains()["relay"]["waiting"], 30, "it to wait")
        self.assertEqual(self.standing(village), (None, None))
        self.goes_to("internet", f"ida@{village}")
        self.ctl("domains", "accept", village)
        wait_for(lambda: self.standing(village) == ("active", "active"), 30, "it in the list")
        self.settle()
        self.begin()
        self.send([f"ida@{village}"])
        self.accepted(1)
        self.refresh(BASE)
        wait_for(lambda: self.standing(village) == ("ended", "ended"), 30, "its end")


if __name__ == "__main__":
    main()
