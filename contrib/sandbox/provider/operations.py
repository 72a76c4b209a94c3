"""The eight operations: from a verified request's payload to a reply's payload."""
import base64
import datetime

from .envelope import PROVIDER, element
from .message_checks import Refused, Submission, check, invalid
from .store import stamp

# Refusals that may end otherwise next time: FindSubmission does not call them refused.
PASSING = ("unavailable", "daily-limit", "private-id-in-use", "not-authorised")


class Operations:
    def __init__(self, config, store):
        self.config, self.store = config, store
        self.table = {
            "GetAccount": self.get_account, "GetDomains": self.get_domains,
            "LookupRecipient": self.lookup_recipient, "Submit": self.submit,
            "FindSubmission": self.find_submission, "ListMessages": self.list_messages,
            "FetchMessage": self.fetch_message, "AcknowledgeMessage": self.acknowledge_message}

    def __call__(self, account, payload, operation):
        """The reply's payload. Raises Refused."""
        return self.table[operation](account, payload)

    def get_account(self, account, _):
        return element("Account", ("holder", account.holder), ("authLevel", account.auth_level),
                       *(("domain", name) for name in account.domains),
                       *(("right", name) for name in account.rights),
                       ("maxMessageBytes", account.max_message_bytes))

    def get_domains(self, _, payload):
        world = self.config.world()
        if text(payload, "knownVersion") == world.version and not world.full:
            return element("Domains", ("version", world.version), ("unchanged", "true"))
        return element("Domains", ("version", world.version), ("unchanged", "false"),
                       *(("domain", name) for name in world.domains))

    def lookup_recipient(self, _, payload):
        world = self.config.world()
        address = text(payload, "address")
        if not world.exists(address):
            return element("Recipient", ("address", address), ("exists", "false"))
        return element("Recipient", ("address", address), ("exists", "true"),
                       ("maxAuthLevel", world.level(address)), ("accessOpening", "true"))

    def submit(self, account, payload):
        submission = read_submission(payload)
        with self.store.lock:
            if self.store.accepted(account.name, submission.private_id):
                raise Refused("private-id-in-use", "this privateId was accepted before")
            if 0 < account.messages_per_day <= self.store.accepted_today(account.name):
                raise Refused("daily-limit", "no more messages today", retry_after=3600)
            try:
                rejected = check(submission, account, self.config.world())
            except Refused as refusal:
                self.remember(account, submission.private_id, refusal)
                raise
            record = self.store.accept(account.name, submission, rejected)
        return element("Submitted", ("privateId", submission.private_id),
                       ("messageId", record["messageId"]), ("acceptedAt", record["acceptedAt"]),
                       *(element("rejected", ("address", address), ("code", code),
                                 ("reason", reason)) for address, code, reason in rejected))

    def remember(self, account, private_id, refusal):
        if refusal.code not in PASSING:
            self.store.refuse(account.name, private_id, refusal.code, refusal.reason)

    def find_submission(self, account, payload):
        private_id = text(payload, "privateId")
        accepted = self.store.accepted(account.name, private_id)
        refused = self.store.refused(account.name, private_id)
        if accepted:
            return element("Submission", ("privateId", private_id), ("state", "accepted"),
                           ("messageId", accepted["messageId"]),
                           ("acceptedAt", accepted["acceptedAt"]),
                           *(element("rejected", *((name, one[name]) for name in (
                               "address", "code", "reason"))) for one in accepted["rejected"]))
        if refused:
            return element("Submission", ("privateId", private_id), ("state", "refused"),
                           ("reason", refused["reason"]))
        return element("Submission", ("privateId", private_id), ("state", "unknown"))

    def list_messages(self, _, payload):
        after, limit = text(payload, "after"), int(text(payload, "limit"))
        waiting = [entry for entry in self.store.inbox() if after is None or entry[0] > after]
        entries = []
        for name, path in waiting[:limit]:
            status = path.stat()
            received = datetime.datetime.fromtimestamp(status.st_mtime, datetime.timezone.utc)
            entries.append(element("entry", ("id", name), ("receivedAt", stamp(received)),
                                   ("bytes", status.st_size)))
        more = waiting[limit - 1][0] if len(waiting) > limit else None
        return element("MessageList", *entries, ("next", more))

    def fetch_message(self, _, payload):
        name, path = self._waiting(payload)
        content = base64.b64encode(path.read_bytes()).decode("ascii")
        return element("Message", ("id", name), ("content", content))

    def acknowledge_message(self, _, payload):
        name, path = self._waiting(payload)
        self.store.acknowledge(path)
        return element("Acknowledged", ("id", name))

    def _waiting(self, payload):
        name = text(payload, "id")
        path = dict(self.store.inbox()).get(name)
        if path is None:
            raise invalid("no such message in the mailbox")
        return name, path


def text(payload, name):
    node = payload.find(f"{{{PROVIDER}}}{name}")
    return None if node is None else node.text or ""


def read_submission(payload):
    return Submission(
        text(payload, "privateId"), text(payload, "sender"),
        tuple((node.text, node.get("field")) for node in payload.findall(f"{{{PROVIDER}}}recipient")),
        tuple(node.text for node in payload.findall(f"{{{PROVIDER}}}option")),
        base64.b64decode(text(payload, "content")))
