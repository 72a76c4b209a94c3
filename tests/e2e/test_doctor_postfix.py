"""demailctl doctor on Postfix's configuration: each fault, introduced alone, is named with its remedy;
what harms nothing is not; and what it calls a leak is one.

ALOUD=1 prints what it says of each."""

import os
import shutil
import tempfile
import time

from doctor import Doctor
from harness import ANNA, BOB, fields_of, main, message

CARL = "carl@elsewhere.example"
OURS = "{ unix:demail-milter/milter.sock, default_action=tempfail }"
STRIPPED = "takes seals and De-Mail fields along"

# What it is, the lines of main.cf (None takes one out), a line of master.cf (or "old => new"),
# files in Postfix's directory ({etc} is that directory); then the check that names it, the result,
# words of what was found and words of what is to be done.
FAULTS = [
    ("queue ids come again", {"enable_long_queue_ids": "no"}, None, {},
     "enable_long_queue_ids", "bad", "short queue ids", "enable_long_queue_ids = yes"),
    ("smuggling is let in", {"smtpd_forbid_bare_newline": "no"}, None, {},
     "smtpd_forbid_bare_newline", "bad", "smuggle", "smtpd_forbid_bare_newline = yes"),
    ("some may smuggle", {"smtpd_forbid_bare_newline_exclusions": "$mynetworks"}, None, {},
     "smtpd_forbid_bare_newline_exclusions", "bad", "10.0.0.0/8|mynetworks",
     "smtpd_forbid_bare_newline_exclusions ="),
    ("messages are too small", {"message_size_limit": "10240000"}, None, {},
     "message_size_limit", "bad", "too large", "message_size_limit = 47185920"),
    ("no milter", {"smtpd_milters": ""}, None, {},
     "smtpd_milters", "bad", "not sealed", "smtpd_milters = { unix:demail-milter/milter.sock"),
    ("another milter behind ours", {"smtpd_milters": OURS + ", inet:127.0.0.1:8891"}, None, {},
     "smtpd_milters", "bad", "behind the seal",
     r"smtpd_milters = inet:127.0.0.1:8891, { unix:demail-milter"),
    ("ours accepts while it is down", {"smtpd_milters": "unix:demail-milter/milter.sock"}, None, {},
     "smtpd_milters", "bad", "lacks default_action=tempfail", "default_action=tempfail"),
    ("no milter for sendmail(1)", {"non_smtpd_milters": ""}, None, {},
     "non_smtpd_milters", "bad", r"sendmail\(1\)", r"non_smtpd_milters = \$smtpd_milters"),
    ("no transport map", {"transport_maps": ""}, None, {},
     "transport_maps", "bad", "leave to the Internet as plain mail", "transport_maps = regexp:.*, pipemap:"),
    ("one letter becomes several", {"demail_destination_recipient_limit": "50"}, None, {},
     "demail_destination_recipient_limit", "bad", "several De-Mails",
     "demail_destination_recipient_limit = 0"),
    ("seals leave", {"smtp_header_checks": ""}, None, {},
     "smtp_header_checks", "bad", "leave with mail", "smtp_header_checks = regexp:"),
    ("seals leave in bounces", {"smtp_nested_header_checks": ""}, None, {},
     "smtp_nested_header_checks", "bad", "inside bounces", "smtp_nested_header_checks = regexp:"),
    ("seals leave in bounces of headers alone", {"smtp_body_checks": ""}, None, {},
     "smtp_body_checks", "bad", "inside bounces of De-Mails", "smtp_body_checks = regexp:"),
    ("no demail service", {}, "demail unix => other unix", {},
     "demail", "bad", "missing", "demail unix - - n - - lmtp"),
    ("demail falls back", {}, "-o lmtp_fallback_relay= => -o lmtp_fallback_relay=[192.0.2.1]", {},
     "demail", "bad", "changed on their way", "-o lmtp_fallback_relay="),
    ("a later -o wins", {},
     "-o lmtp_fallback_relay= => -o lmtp_fallback_relay= -o lmtp_fallback_relay=[192.0.2.1]", {},
     "demail", "bad", "changed on their way", "-o lmtp_fallback_relay="),
    ("no demail-in service", {}, "demail-in unix => elsewhere unix", {},
     "demail-in", "bad", "received De-Mails", "demail-in unix n - n - - smtpd"),

    ("a port without milters", {}, "127.0.0.1:10587 inet n - n - - smtpd -o smtpd_milters=", {},
     "smtpd 127.0.0.1:10587 inet", "bad", "not sealed", 'take "-o smtpd_milters" out'),
    ("a port with another milter last", {},
     "127.0.0.1:10587 inet n - n - - smtpd -o { smtpd_milters=%s, unix:x }" % OURS, {},
     "smtpd 127.0.0.1:10587 inet", "bad", "unix:x.* behind the De-Mail milter", "smtpd_milters"),
    ("a port with no_milters", {},
     "192.0.2.1:25 inet n - n - - smtpd -o receive_override_options=no_milters", {},
     "smtpd 192.0.2.1:25 inet", "bad", "no_milters", "take no_milters out"),
    ("pickup with no_milters", {},
     "1 pickup => 1 pickup -o receive_override_options=no_milters", {},
     "pickup", "bad", "no_milters", "take no_milters out"),
    ("cleanup without milters", {}, "0 cleanup => 0 cleanup -o non_smtpd_milters=", {},
     "cleanup", "bad", "without the De-Mail milter", "non_smtpd_milters"),
    ("a filter before the queue", {},
     "127.0.0.1:10587 inet n - n - - smtpd -o smtpd_proxy_filter=127.0.0.1:10024", {},
     "smtpd_proxy_filter", "bad", "no login", "content_filter"),
    ("what the filter hands back is refused", {"content_filter": "scan:[127.0.0.1]:10024"},
     "scan unix - - n - - smtp -o smtp_header_checks= -o smtp_nested_header_checks=\n"
     "127.0.0.1:10025 inet n - n - - smtpd -o content_filter=", {},
     "smtpd 127.0.0.1:10025 inet", "bad", "refused", "reinjection = "),
    ("the way to the filter strips", {"content_filter": "smtp:[127.0.0.1]:10024"}, None, {},
     "content_filter", "bad", "comes back without it", "scan unix - - n - - smtp -o"),
    ("the way to the filter is not there", {"content_filter": "scan:[127.0.0.1]:10024"}, None, {},
     "content_filter", "bad", "no service scan", "scan unix - - n - - smtp -o"),
    ("the filter is another host", {"content_filter": "scan:[192.0.2.1]:10024"},
     "scan unix - - n - - smtp -o smtp_header_checks= -o smtp_nested_header_checks=", {},
     "content_filter", "unknown", "in the clear", "filter on this host"),
    ("the filter is a program", {"content_filter": "scan:"},
     "scan unix - n n - - pipe flags=Rq user=nobody argv=/bin/true", {},
     "content_filter", "unknown", "program", "by SMTP"),
    ("header checks send to a filter", {"header_checks": "regexp:{etc}/checks"}, None,
     {"checks": "# a comment\n/^Subject: .*scan this/ FILTER smtp:[192.0.2.1]:25\n"},
     "FILTER in header_checks", "bad", "seal is removed", "scan unix"),
    ("an access table redirects", {"smtpd_data_restrictions":
                                   "check_sender_access inline:{ {anna@firm.example=REDIRECT "
                                   "carl@elsewhere.example} }"}, None, {},
     "REDIRECT in smtpd_data_restrictions", "bad", "goes to carl@elsewhere.example", "take the line"),
    ("header checks that cannot be read", {"header_checks": "socketmap:unix:/nowhere:x"}, None, {},
     "actions in header_checks", "unknown", "cannot be read", "none for De-Mails"),
    ("the milter's fields are checked", {"milter_header_checks": "regexp:{etc}/checks"}, None,
     {"checks": "/^Demail-Seal:/ IGNORE\n"},
     "milter_header_checks", "bad", "the seal", "take the line out"),
    ("some clients pass the milter by", {"smtpd_milter_maps": "cidr:{etc}/clients"}, None,
     {"clients": "10.0.0.0/8 DISABLE\n"},
     "smtpd_milter_maps", "bad", "10.0.0.0/8", "take the line out"),
    ("a transport that keeps seals", {},
     "slow unix - - n - - smtp -o smtp_header_checks=", {},
     "transport slow", "bad", STRIPPED, "take \"-o smtp_header_checks\" out"),
    ("a transport that keeps the seals in bounces", {},
     "slow unix - - n - - smtp -o smtp_body_checks=", {},
     "transport slow", "bad", STRIPPED, "take \"-o smtp_body_checks\" out"),
    ("copies leave", {"always_bcc": "archive@elsewhere.example"}, None, {},
     "always_bcc", "bad", "archive@elsewhere.example by the Internet", "mailbox of this host"),
    ("copies from one port leave", {},
     "0 cleanup => 0 cleanup -o always_bcc=archive@elsewhere.example", {},
     "always_bcc", "bad", "archive@elsewhere.example", "mailbox of this host"),
    ("copies go to a De-Mail address", {"always_bcc": "archive@other.de-mail.de"}, None, {},
     "always_bcc", "bad", "bounces", "mailbox of this host"),
    ("copies by sender leave", {"sender_bcc_maps": "inline:{anna@firm.example=x@elsewhere.example}"},
     None, {}, "sender_bcc_maps", "bad", "x@elsewhere.example", "mailboxes of this host"),
    ("copies by recipient are not told", {"recipient_bcc_maps": "socketmap:unix:/nowhere:x"}, None,
     {}, "recipient_bcc_maps", "unknown", "cannot be read", "mailboxes of this host"),
    ("De-Mail domains are unknown", {"smtpd_recipient_restrictions":
                                     "reject_unknown_recipient_domain, permit_mynetworks"}, None, {},
     "smtpd_recipient_restrictions", "bad", "no MX", "behind permit_mynetworks"),
    ("in a class of one's own", {"smtpd_restriction_classes": "strict",
                                 "strict": "reject_unknown_recipient_domain",
                                 "smtpd_data_restrictions": "strict"}, None, {},
     "smtpd_data_restrictions", "bad", "no MX", "behind permit_mynetworks"),
    ("XFORWARD from a network", {"smtpd_authorized_xforward_hosts": "10.0.0.0/8"}, None, {},
     "smtpd_authorized_xforward_hosts", "bad", "10.0.0.0/8", "127.0.0.1"),
    ("XCLIENT from a network", {"smtpd_authorized_xclient_hosts": "$mynetworks"}, None, {},
     "smtpd_authorized_xclient_hosts", "bad", "10.0.0.0/8.*as anybody", "127.0.0.1"),
    ("refusals are tried again", {"soft_bounce": "yes"}, None, {},
     "soft_bounce", "bad", "not told", "soft_bounce = no"),
    ("De-Mails are held back", {"defer_transports": "demail"}, None, {},
     "defer_transports", "bad", "wait", "take demail out"),
    ("an old milter protocol", {"milter_protocol": "2"}, None, {},
     "milter_protocol", "bad", "version 6", "milter_protocol = 6"),
    ("a De-Mail domain of one's own", {"mydestination": "firm.de-mail.de"}, None, {},
     "mydestination", "bad", "firm.de-mail.de is De-Mail", "take firm.de-mail.de out"),
    ("the queue outlives the seal", {"maximal_queue_lifetime": "10d"}, None, {},
     "maximal_queue_lifetime", "bad", "6 days", r"lifetime_days = 11"),
    ("an alias out of De-Mail", {"virtual_alias_maps": "inline:{bob@other.de-mail.de="
                                                       "bob@elsewhere.example}"}, None, {},
     "virtual_alias_maps", "bad", "bob@elsewhere.example", "take bob@other.de-mail.de out"),
    ("a table before ours", {"transport_maps": "{refusals}, inline:{de-mail.de=smtp:[192.0.2.1]}, "
                                              "{map}"}, None, {},
     "transport_maps", "bad", r"de-mail.de to .smtp:\[192.0.2.1\]", "take De-Mail's domains out"),
    ("patterns behind ours", {"transport_maps": "{ours}, regexp:{etc}/all"}, None,
     {"all": "/./ smtp:[192.0.2.1]\n"},
     "transport_maps", "bad", "as plain mail", "asked before domains, wherever it stands"),
    ("a table before those of refusals", {"transport_maps": "inline:{x.example=smtp:}, {ours}"}, None,
     {}, "transport_maps", "bad", "strange spellings", "transport_maps = regexp:"),
    ("one domain behind ours", {"transport_maps": "{ours}, inline:{x.de-mail.de=smtp:[192.0.2.1]}"},
     None, {}, "transport_maps", "bad", "x.de-mail.de", "take De-Mail's domains out"),
    ("a table that does not answer",
     {"transport_maps": "{refusals}, socketmap:unix:/nowhere:x, {map}"}, None, {},
     "transport_maps", "unknown", "does not answer", "postmap -q"),
]

# What must not be called a fault.
INNOCENT = [
    ("other milters before ours", {"smtpd_milters": "inet:127.0.0.1:8891, " + OURS}, None, {}),
    ("a content filter that hands back", {"content_filter": "scan:[127.0.0.1]:10024"},
     "scan unix - - n - - smtp -o smtp_header_checks= -o smtp_nested_header_checks=\n"
     "127.0.0.1:10025 inet n - n - - smtpd -o content_filter= "
     "-o receive_override_options=no_milters", {}),
    ("an archive here", {"always_bcc": "archive@firm.example"}, None, {}),
    ("harmless header checks", {"header_checks": "regexp:{etc}/checks"}, None,
     {"checks": "if /^Subject:/\n/ FILTER smtp:x/ REJECT no\n/x/ WARN\n  more\nendif\n"}),
    ("reject_unknown_recipient_domain for strangers alone",
     {"smtpd_recipient_restrictions": "permit_mynetworks, permit_sasl_authenticated, "
                                      "reject_unknown_recipient_domain"}, None, {}),
    ("other domains in other tables",
     {"transport_maps": "{refusals}, inline:{elsewhere.example=smtp:[192.0.2.1]}, {map}, "
                        "inline:{de-mail.de=smtp:[192.0.2.1], *=smtp:[192.0.2.1]}"}, None, {}),
    ("own De-Mail addresses that are mailboxes here",
     {"virtual_alias_maps": "inline:{anna@firm.de-mail.de=anna@firm.example}"}, None, {}),
    ("a host that hands logins on", {"smtpd_authorized_xclient_hosts": "127.0.0.1, 10.1.1.5"}, None, {}),
    ("another transport", {}, "slow unix - - n - - smtp -o smtp_connect_timeout=9", {}),
]


class Postfixes(Doctor):
    """Each on a copy of the configuration of the Postfix that runs."""

    def changed(self, settings, service, files):
        scratch = tempfile.mkdtemp(prefix="demail-e2e-", dir="/tmp")
        self.addCleanup(shutil.rmtree, scratch)
        os.chmod(scratch, 0o755)
        etc = os.path.join(scratch, "etc")
        shutil.copytree(self.box.postfix.etc, etc)
        ours = self.box.postfix.settings["transport_maps"]
        refusals, pipemap, rest = ours.partition("pipemap:")
        words = {"{etc}": etc, "{ours}": ours, "{refusals}": refusals.rstrip(", "),
                 "{map}": pipemap + rest}

        def fill(text):
            for word, meaning in words.items():
                text = text.replace(word, meaning)
            return text

        for name, text in files.items():
            with open(os.path.join(etc, name), "w", encoding="utf-8") as file:
                file.write(text)
        main_cf, master_cf = (os.path.join(etc, name) for name in ("main.cf", "master.cf"))
        with open(main_cf, encoding="utf-8") as file:
            kept = [line for line in file if line.split(" =")[0] not in settings]
        with open(main_cf, "w", encoding="utf-8") as file:
            file.writelines(kept)
            file.writelines(f"{name} = {fill(value)}\n" for name, value in settings.items())
        os.utime(main_cf, (time.time() - 10,) * 2)
        with open(master_cf, encoding="utf-8") as file:
            text = file.read()
        if service:
            old, arrow, new = service.partition(" => ")
            self.assertTrue(not arrow or old in text, old)
            text = text.replace(old, new, 1) if arrow else service + "\n" + text
        with open(master_cf, "w", encoding="utf-8") as file:
            file.write(text)
        return etc

    def test_each_fault_is_named_with_its_remedy(self):
        self.wait_good()
        for what, settings, service, files, name, result, found, remedy in FAULTS:
            with self.subTest(what):
                etc = self.changed(settings, service, files)
                report = self.report("--postfix-config", etc)
                check = self.named(report, name, result, found, remedy)
                self.assertIn(etc, check["where"])
                self.assertNotEqual(check["remedy"], "")
                if os.environ.get("ALOUD"):
                    print(f"{what}:\n  {check['name']} ({check['where']})\n    "
                          f"{check['found']}\n    do: {check['remedy']}")

    def test_what_harms_nothing_is_not_called_a_fault(self):
        self.wait_good()
        for what, settings, service, files in INNOCENT:
            with self.subTest(what):
                report = self.report("--postfix-config", self.changed(settings, service, files))
                self.assertEqual(self.not_good(report), [])

    def test_a_directory_without_postfix_is_said(self):
        report = self.report("--postfix-config", "/nonexistent")
        self.named(report, "postconf", "unknown", "/nonexistent", "postfix_configuration")


class Leaks(Doctor):
    """What doctor calls a leak lets something out of the Postfix that runs."""

    def with_fault(self, settings, services=()):
        postfix = self.box.postfix
        before, kept = dict(postfix.settings), list(postfix.services)
        postfix.services = [*services, *postfix.services]
        postfix.configure(settings)
        postfix.reload()

        def restore():
            postfix.settings, postfix.services = before, kept
            postfix.configure({})
            postfix.reload()
        self.addCleanup(restore)

    def leaves_as_plain_mail(self):
        """A message handed in to BOB; the Internet has it."""
        self.send([BOB])
        copy, = self.kept("internet", 1)
        return copy

    def test_patterns_behind_our_map_take_de_mails_to_the_internet(self):
        patterns = os.path.join(self.box.postfix.etc, "all")
        with open(patterns, "w", encoding="ascii") as file:
            file.write(f"/./ smtp:{self.box.postfix.settings['relayhost']}\n")
        self.with_fault({"transport_maps":
                         self.box.postfix.settings["transport_maps"] + f", regexp:{patterns}"})
        self.assertIn("transport_maps", [one["name"] for one in self.not_good(self.report())])
        self.leaves_as_plain_mail()

    def test_a_more_exact_key_behind_our_map_takes_de_mails_to_the_internet(self):
        self.with_fault({"transport_maps": self.box.postfix.settings["transport_maps"] +
                         f", inline:{{{BOB}=smtp:{self.box.postfix.settings['relayhost']}}}"})
        self.assertIn("transport_maps", [one["name"] for one in self.not_good(self.report())])
        self.leaves_as_plain_mail()

    def test_a_transport_without_header_checks_lets_the_seal_out(self):
        hop = self.box.postfix.settings["relayhost"]
        self.with_fault({"transport_maps": self.box.postfix.settings["transport_maps"].replace(
                            "pipemap:", f"inline:{{elsewhere.example=slow:{hop}}}, pipemap:")},
                        ["slow unix - - n - - smtp -o smtp_header_checks="])
        self.assertEqual(["transport slow"], [one["name"] for one in self.not_good(self.report())])
        self.send([BOB, CARL], message(ANNA, [BOB, CARL]))
        copy, = self.kept("internet", 1)
        self.assertIn("demail-seal", [name for name, _ in fields_of(copy["content"])])
        self.accepted(1)

    def test_a_copy_leaves_with_the_content(self):
        self.with_fault({"always_bcc": CARL})
        self.assertEqual(["always_bcc"], [one["name"] for one in self.not_good(self.report())])
        self.assertEqual(self.leaves_as_plain_mail()["recipients"], [CARL])
        self.accepted(1)


if __name__ == "__main__":
    main()
