"""The ways by which a letter gets into Postfix, and to which address it is routed on each: each way
takes all spellings at once where one refusal does not hide the others."""

import os
import re

from handing_back import Filter
from harness import ANNA, BOB, Client, Refused, message
from process import Failure
from sandbox import free_port

UTF8 = " SMTPUTF8"
ALWAYS_BCC = 8  # as many services and ports


class WaysIn:
    """`prepare` before the sandbox starts. A way is a method; `names` lists them."""

    names = ("smtpd", "submission", "smtpd_without_milter", "sendmail", "sendmail_t", "alias",
             "forward", "virtual_alias", "recipient_canonical", "sender_canonical_bounce", "bounce",
             "recipient_bcc", "sender_bcc", "always_bcc", "filter_then_alias", "alias_then_filter",
             "requeue")

    def __init__(self, box, spellings, step=1):
        """`step`: each how manieth spelling is used where a message carries one alone."""
        self.box, self.spellings, self.step = box, spellings, step
        self.ports = {name: free_port() for name in ("submission", "open", "filter", "back", "first",
                                                     "second", "hold")}
        plain = [one for one in spellings if not re.search(r'["{}!, ]', one)]
        self.always = [(free_port(), one) for one in plain[::len(plain) // ALWAYS_BCC][:ALWAYS_BCC]]
        self.taken = self.refused = 0

    def prepare(self):
        postfix, etc = self.box.postfix, self.box.postfix.etc
        table = lambda name, key, form=str: postfix.index(  # noqa: E731
            os.path.join(etc, name), "".join(
                f"{key.format(number)} {form(one)}\n" for number, one in enumerate(self.spellings)))
        with open(os.path.join(etc, "many-aliases"), "w", encoding="utf-8") as file:
            file.writelines(f"a{number}: {one}\n" for number, one in enumerate(self.spellings))
        postfix.run("postalias", os.path.join(etc, "many-aliases"))
        with open(os.path.join(etc, "forward.nobody"), "w", encoding="utf-8") as file:
            file.writelines(one + "\n" for one in self.spellings)
        self.filter = Filter(self.ports["filter"], self.ports["back"])
        listen = lambda name, words: (  # noqa: E731
            f"127.0.0.1:{self.ports[name]} inet n - n - - smtpd {words}")
        scan = f"-o content_filter=scan:[127.0.0.1]:{self.ports['filter']} -o smtpd_milters="
        postfix.services += [
            listen("submission", "-o smtpd_sasl_auth_enable=yes -o smtpd_relay_restrictions=permit_sasl_authenticated,reject"),
            listen("open", "-o smtpd_milters="),
            listen("first", scan + " -o receive_override_options=no_address_mappings"),
            listen("second", scan),
            listen("back", "-o receive_override_options=no_milters "
                           "-o smtpd_authorized_xclient_hosts="),
            listen("hold", "-o smtpd_milters= -o cleanup_service_name=holding"),
            "holding unix n - n - 0 cleanup -o header_checks=static:HOLD",
            "scan unix - - n - - smtp -o smtp_header_checks= -o smtp_nested_header_checks="]
        for number, (port, one) in enumerate(self.always):
            postfix.services += [
                f"127.0.0.1:{port} inet n - n - - smtpd -o smtpd_milters= "
                f"-o cleanup_service_name=copying{number}",
                f"copying{number} unix n - n - 0 cleanup -o {{ always_bcc={one} }}"]
        postfix.configure({
            "mydestination": "alias.example", "local_recipient_maps": "",
            "virtual_mailbox_domains": "firm.example, netz.example, bcc.example",
            "alias_maps": f"hash:{etc}/many-aliases", "alias_database": "",
            "forward_path": f"{etc}/forward.$user",
            "virtual_alias_domains": "virtual.example",
            "virtual_alias_maps": table("many-virtual", "v{}@virtual.example"),
            "recipient_canonical_maps": table("many-canonical", "c{}@canonical.example"),
            "sender_canonical_maps": table("many-senders", "s{}@canonical.example"),
            "sender_canonical_classes": "envelope_sender",
            "recipient_bcc_maps": table("many-copies", "r{}@bcc.example"),
            "sender_bcc_maps": table("more-copies", "b{}@bcc.example"),
            "smtpd_soft_error_limit": "100000", "smtpd_hard_error_limit": "100000",
            "smtpd_junk_command_limit": "100000", "smtpd_recipient_limit": "100000",
            "minimal_backoff_time": "300s", "maximal_backoff_time": "300s"})

    def close(self):
        self.filter.close()

    def numbered(self, form):
        return [form.format(number) for number in range(len(self.spellings))]

    # One message to all, or one message each; a refusal is an outcome like any other.

    def to_all(self, port, recipients, sender=ANNA, **identity):
        with Client(port, **identity) as client:
            try:
                client.command(f"MAIL FROM:<{sender}>{UTF8}")
            except Refused:
                self.refused += len(recipients)
                return
            good = 0
            for recipient in recipients:
                try:
                    client.command(f"RCPT TO:<{recipient}>")
                    good += 1
                except Refused:
                    self.refused += 1
            if not good:
                return
            try:
                client.data(message(sender, [BOB]))
                client.expect("end of data")
                self.taken += good
            except Refused:
                self.refused += good

    def from_each(self, port, senders, recipient):
        with Client(port) as client:
            for sender in senders[::self.step]:
                self.one(client, sender, recipient)

    def one(self, client, sender, recipient):
        try:
            client.send(sender, [recipient], message(ANNA, [BOB]), UTF8)
            self.taken += 1
        except Refused:
            self.refused += 1
            client.command("RSET")

    # The ways

    def smtpd(self):
        self.to_all(self.box.ports["smtp"], self.spellings, login="anna")

    def submission(self):
        self.to_all(self.ports["submission"], self.spellings, login="anna")

    def smtpd_without_milter(self):
        self.to_all(self.ports["open"], self.spellings)

    def by_program(self, words):
        """One each: the milter refuses a program's message as a whole."""
        for spelling in self.spellings[::self.step]:
            content, arguments = words(spelling)
            try:
                self.box.postfix.sendmail(content.replace(b"\r\n", b"\n"), *arguments)
                self.taken += 1
            except Failure:
                self.refused += 1

    def sendmail(self):
        self.by_program(lambda one: (message(ANNA, [BOB]), ("-f", ANNA, "--", one)))

    def sendmail_t(self):
        self.by_program(lambda one: (message(ANNA, [one]), ("-f", ANNA, "-t")))

    def alias(self):
        self.to_all(self.ports["open"], self.numbered("a{}@alias.example"))

    def forward(self):
        """One message: the file names them all."""
        self.to_all(self.ports["open"], ["nobody@alias.example"])

    def virtual_alias(self):
        self.to_all(self.ports["open"], self.numbered("v{}@virtual.example"))

    def recipient_canonical(self):
        self.to_all(self.ports["open"], self.numbered("c{}@canonical.example"))

    def sender_canonical_bounce(self):
        self.from_each(self.ports["open"], self.numbered("s{}@canonical.example"),
                       "unknown-to-all@alias.example")

    def bounce(self):
        self.from_each(self.ports["open"], self.spellings, "unknown-to-all@alias.example")

    def recipient_bcc(self):
        self.to_all(self.ports["open"], self.numbered("r{}@bcc.example"))

    def sender_bcc(self):
        self.from_each(self.ports["open"], self.numbered("b{}@bcc.example"), "kurt@firm.example")

    def always_bcc(self):
        for port, _ in self.always:
            self.to_all(port, ["kurt@firm.example"])

    def filter_then_alias(self):
        """As Postfix's FILTER_README has it: addresses are mapped when the letter is back."""
        self.to_all(self.ports["first"], self.numbered("v{}@virtual.example"))

    def alias_then_filter(self):
        """The filter's own hand-over is refused, or not: one each."""
        with Client(self.ports["second"]) as client:
            for recipient in self.numbered("v{}@virtual.example")[::self.step]:
                self.one(client, ANNA, recipient)

    def requeue(self):
        self.to_all(self.ports["hold"], self.numbered("v{}@virtual.example"))
        self.box.postfix.run("postsuper", "-c", self.box.postfix.etc, "-r", "ALL", "hold")
        # pickup(8) looks once a minute, or when a program has handed something in.
        self.box.postfix.sendmail(message(ANNA, ["kurt@firm.example"]), "-f", ANNA, "--",
                                  "kurt@firm.example")


def unaccounted(log):
    """{queue id: (recipients, outcomes)} where Postfix's log does not say what became of each of a
    message's recipients: sent, bounced or deferred."""
    recipients, outcomes = {}, {}
    for queue_id, count in re.findall(r": (\w+): from=<.*>, size=\d+, nrcpt=(\d+) ", log):
        recipients.setdefault(queue_id, int(count))
    for queue_id, to in re.findall(r": (\w+): to=(<.*?>, (?:orig_to=<.*?>, )?)relay=.* status=", log):
        outcomes.setdefault(queue_id, []).append(to)
    return {queue_id: (count, outcomes.get(queue_id)) for queue_id, count in recipients.items()
            if len(outcomes.get(queue_id, ())) < count}
