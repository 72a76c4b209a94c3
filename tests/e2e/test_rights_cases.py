"""Who may send what, as tables: tests/data/rights/*.toml, each case a line, through real Postfix
with real logins at Dovecot. What comes of it stands beside the table in a text that a person can
read; where a sentence was changed on purpose, write them anew and look at the difference:

    cd BUILD && UPDATE_RIGHTS=1 SRCDIR=… BUILDDIR=$PWD python3 …/tests/e2e/test_rights_cases.py

The keys of a case, each with its default from the table's [given]:
  is            what the case shows
  login         of SASL, "" for none; password
  client        its address
  sender        the envelope's; sendmail = true: handed in by sendmail(1)
  to            recipients
  from          the From field, a list for several, "" for none; by default the sender
  header        fields before the others
  subject       as the header has it
  bytes         how long the text is
  then          the De-Mail sender as whom it goes out, or the code of its refusal (4.3.0, 5.7.1 …),
                or "Internet"
  options       those that it goes out with
"""

import glob
import os
import re
import tomllib

from harness import BOB, Refused, fields_of, main, wait_for
from rights_world import PASSWORD, TABLES, RightsWorld

GIVEN = {"login": "anna", "password": PASSWORD, "client": "192.0.2.7",
         "sender": "anna@firm.example", "to": [BOB], "header": [], "subject": "Hello",
         "bytes": 0, "options": [], "sendmail": False}
SHOWN = ("from", "sender", "reply-to", "subject")  # where they have changed on the way
FEWEST = 150


class Case:
    """One line of a table, and what came of it."""

    def __init__(self, number, table, given, line):
        unknown = set(line) - {"is", "then", "from", *GIVEN}
        if unknown:
            raise ValueError(f"{table}: {line['is']}: {unknown}")
        self.values = {**GIVEN, **given, **line}
        self.values.setdefault("from", self.sender)
        self.identity = f"<case-{number}-{table}@client.example>"
        self.queue_id = None
        self.replies = []  # [(step, reply)], refusals only

    def __getattr__(self, name):
        try:
            return self.values[name]
        except KeyError:
            raise AttributeError(name) from None

    def content(self):
        authors = self.values["from"] if isinstance(self.values["from"], list) else (
            [self.values["from"]] if self.values["from"] else [])
        lines = [*self.header, *(f"From: {one}" for one in authors), f"To: {', '.join(self.to)}",
                 f"Subject: {self.subject}", "Date: Mon, 2 Mar 2026 10:00:00 +0100",
                 f"Message-ID: {self.identity}", "", "A letter.", *["x" * 70] * (self.bytes // 72)]
        return "".join(line.replace("\n", "\r\n") + "\r\n" for line in lines).encode(
            "utf-8", "surrogateescape")

    def hand_in(self, world):
        if self.sendmail:
            return world.box.postfix.sendmail(self.content().replace(b"\r\n", b"\n"),
                                              "-f", self.sender, "--", *self.to)
        address = ("IPV6:" if ":" in self.client else "") + self.client
        with world.box.client(address=address) as client:
            if self.login and not self._step("login", lambda: world.log_in(
                    client, self.login, self.password)):
                self.replies[-1] = ("login", self.replies[-1][1][:9])  # Dovecot's words follow
            parameters = "" if "".join(self.to).isascii() else " SMTPUTF8"
            if not self._step("MAIL", lambda: client.command(
                    f"MAIL FROM:<{self.sender}>{parameters}")):
                return None
            taken = [one for one in self.to if self._step(
                f"RCPT TO {one}", lambda one=one: client.command(f"RCPT TO:<{one}>"))]
            if taken:
                self._step("the end of the message", lambda: self._data(client))
        return None

    def _data(self, client):
        client.data(self.content())
        self.queue_id = client.expect("end of data").rpartition(" ")[2]

    def _step(self, name, act):
        try:
            act()
        except Refused as refused:
            self.replies.append((name, refused.reply))
            return False
        return True

    # What came of it

    def collect(self, world):
        holds = lambda entry: self.identity.encode() in entry["content"]  # noqa: E731
        self.submissions = [entry for provider in (world.box, world.second)
                            for entry in provider.accepted() if holds(entry)]
        self.copies = [entry for entry in world.box.kept(world.box.internet) if holds(entry)]
        log = world.box.postfix.log()
        if self.queue_id is None:
            found = re.search(rf"cleanup\[\d+\]: (\w+): message-id={self.identity}", log)
            self.queue_id = found.group(1) if found else None
        # What cleanup(8) bounces itself has its code in dsn= alone.
        self.bounced = [(address, reply if reply[:3].isdigit() else f"{dsn} {reply}")
                        for address, dsn, reply in re.findall(
            rf" {self.queue_id}: to=<([^>]*)>, .* dsn=(\S+), status=bounced "
            r"\((?:.*? said: )?(.*?)(?: \(in reply to .*\))?\)\n", log) if self.queue_id]

    def codes(self):
        replies = [reply for name, reply in [*self.replies, *self.bounced] if name != "login"]
        return [re.search(r"\d\.\d\.\d+", reply).group(0) for reply in replies]

    def as_whom(self):
        return ({entry["sender"] for entry in self.submissions} or
                ({"Internet"} if self.copies else set()) or set(self.codes()))

    def story(self):
        who = f"logged in as {self.login}" if self.login else "not logged in"
        where = "by sendmail(1)" if self.sendmail else f"{who}, from {self.client}"
        lines = [f"{self.values['is']}",
                 f"    {where}, MAIL FROM <{self.sender}>, RCPT TO {', '.join(self.to)}"]
        shown = [*self.header]
        if self.values["from"] != self.sender:
            authors = self.values["from"]
            shown += [f"From: {one}" for one in (authors if isinstance(authors, list)
                                                 else [authors])] if authors else ["(no From)"]
        if self.subject != GIVEN["subject"]:
            shown.append(f"Subject: {self.subject}")
        lines += ["    | " + part for field in shown for part in field.split("\n")]
        lines += [f"  at {name}: {reply}" for name, reply in self.replies]
        for entry in self.submissions:
            to = ", ".join(f"{one['address']} ({one['field']})" for one in entry["recipients"])
            options = ", ".join(entry["options"]) or "none"
            lines.append(f"  De-Mail by account {entry['account']}, {entry['sender']} to {to}; "
                         f"options: {options}")
            lines += [f"    | {text}" for text in self._changed(entry["content"])]
        for entry in self.copies:
            lines.append(f"  Internet mail to {', '.join(entry['recipients'])}")
            lines += [f"    | {text}" for text in self._changed(entry["content"])]
        lines += [f"  bounce for {address}: {reply}" for address, reply in self.bounced]
        return "\n".join(lines) + "\n"

    def _changed(self, content):
        before = [octets for name, octets in fields_of(self.content()) if name in SHOWN]
        return [octets.decode("utf-8", "replace").replace("\r\n", "")
                for name, octets in fields_of(content)
                if name in SHOWN and octets not in before]


def table_names():
    return sorted(os.path.basename(path)[:-len(".toml")]
                  for path in glob.glob(os.path.join(TABLES, "*.toml"))
                  if not path.endswith("/rules.toml"))


def read_table(name):
    """(lines of [policy], [Case])"""
    with open(os.path.join(TABLES, name + ".toml"), "rb") as file:
        read = tomllib.load(file)
    return read.get("policy", ""), [Case(number, name, read.get("given", {}), line)
                                    for number, line in enumerate(read["case"], 1)]


class RightsCases(RightsWorld):
    def golden(self, name, story):
        path = os.path.join(TABLES, name + ".txt")
        if os.environ.get("UPDATE_RIGHTS"):
            with open(path, "w", encoding="utf-8") as file:
                file.write(story)
        with open(path, encoding="utf-8") as file:
            self.assertEqual(story, file.read(), path)

    def run_table(self, name):
        policy, cases = read_table(name)
        self.use_policy(policy)
        for case in cases:
            case.hand_in(self)
        self.box.postfix.wait_empty(60)
        for case in cases:
            case.collect(self)
            with self.subTest(case.values["is"]):
                self.assertEqual(case.as_whom(), {case.then}, case.story())
                self.assertEqual({tuple(entry["options"]) for entry in case.submissions},
                                 {tuple(case.options)} if case.submissions else set(),
                                 case.story())
                for _, reply in [*case.replies, *case.bounced]:
                    # Postfix repeats the address as it was written; no table has it in ASCII.
                    words = re.sub(r"<.*?>: Recipient address rejected", "", reply)
                    self.assertTrue(words.isascii(), reply)
        self.golden(name, "\n".join(case.story() for case in cases))

    def test_there_are_enough_and_none_stands_twice(self):
        cases = [case for name in table_names() for case in read_table(name)[1]]
        self.assertGreaterEqual(len(cases), FEWEST)
        names = [case.values["is"] for case in cases]
        self.assertEqual(sorted(names), sorted(set(names)))


def _add_tests():
    for name in table_names():
        setattr(RightsCases, f"test_{name}", lambda self, name=name: self.run_table(name))


_add_tests()

if __name__ == "__main__":
    main()
