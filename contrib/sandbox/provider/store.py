"""What the provider knows for good: accepted and refused submissions, seen MessageIDs, the mailbox;
and DIR/requests.jsonl and DIR/connections.jsonl, in which tests read what reached it.

    accepted/000001/content.eml, submission.json   one directory a submission, made whole by rename
    refused.jsonl                                  refused for good
    message-ids                                    WS-Addressing MessageIDs, against replay
    inbox/NAME.eml                                 waits to be fetched; acknowledged: acknowledged/NAME.eml
"""
import datetime
import hashlib
import json
import os
import shutil
import tempfile
import threading
from pathlib import Path


def utc():
    return datetime.datetime.now(datetime.timezone.utc)


def stamp(moment=None):
    return (moment or utc()).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Store:
    def __init__(self, directory):
        self.directory = Path(directory)
        self.lock = threading.RLock()  # held over "is it new?" and "now it is here"
        self._log_lock = threading.Lock()
        self._accepted, self._refused, self._seen = {}, {}, {}
        for name in ("accepted", "inbox", "acknowledged"):
            (self.directory / name).mkdir(exist_ok=True)
        self._number = 0
        self._load()

    def _load(self):
        for entry in sorted((self.directory / "accepted").iterdir()):
            if entry.name.startswith("."):
                shutil.rmtree(entry)  # a submission that was never answered
                continue
            record = json.loads((entry / "submission.json").read_text("utf-8"))
            self._accepted[record["account"], record["privateId"]] = record
            self._number = max(self._number, int(entry.name))
        for record in _lines(self.directory / "refused.jsonl"):
            self._refused[record["account"], record["privateId"]] = record
        for record in _lines(self.directory / "message-ids"):
            self._seen[record["id"]] = datetime.datetime.fromisoformat(record["expires"])

    def accepted(self, account, private_id):
        with self.lock:
            return self._accepted.get((account, private_id))

    def refused(self, account, private_id):
        with self.lock:
            return self._refused.get((account, private_id))

    def accepted_today(self, account):
        today = stamp()[:10]
        with self.lock:
            return sum(1 for record in self._accepted.values()
                       if record["account"] == account and record["acceptedAt"][:10] == today)

    def accept(self, account, submission, rejected):
        """Durable when it returns the record."""
        with self.lock:
            self._number += 1
            number = f"{self._number:06d}"
            record = {
                "privateId": submission.private_id,
                "messageId": f"<{number}.{os.urandom(8).hex()}@provider.de-mail.de>",
                "acceptedAt": stamp(), "account": account, "sender": submission.sender,
                "recipients": [{"address": address, "field": field}
                               for address, field in submission.recipients],
                "options": list(submission.options),
                "rejected": [{"address": address, "code": code, "reason": reason}
                             for address, code, reason in rejected],
                "bytes": len(submission.content),
                "sha256": hashlib.sha256(submission.content).hexdigest()}
            parent = self.directory / "accepted"
            temporary = Path(tempfile.mkdtemp(prefix=".", dir=parent))
            _write(temporary / "content.eml", submission.content)
            _write(temporary / "submission.json",
                   json.dumps(record, indent=1, ensure_ascii=False).encode("utf-8"))
            _sync(temporary)
            os.rename(temporary, parent / number)
            _sync(parent)
            self._accepted[account, submission.private_id] = record
            return record

    def refuse(self, account, private_id, code, reason):
        record = {"time": stamp(), "account": account, "privateId": private_id, "code": code,
                  "reason": reason}
        with self.lock:
            self._append("refused.jsonl", record, sync=True)
            self._refused[account, private_id] = record

    def first_use(self, message_id, expires):
        """False where this MessageID came before, within the time in which it could be replayed."""
        with self.lock:
            now = utc()
            for old in [key for key, end in self._seen.items()
                        if end + datetime.timedelta(minutes=5) < now]:
                del self._seen[old]
            if message_id in self._seen:
                return False
            self._seen[message_id] = expires
            self._append("message-ids", {"id": message_id, "expires": expires.isoformat()})
            return True

    def inbox(self):
        """[(id, path)], oldest name first."""
        return [(path.name, path) for path in sorted((self.directory / "inbox").glob("*.eml"))]

    def acknowledge(self, path):
        os.rename(path, self.directory / "acknowledged" / path.name)

    def log_request(self, record):
        with self._log_lock:
            self._append("requests.jsonl", {"time": stamp(), **record})

    def log_connection(self, record):
        with self._log_lock:
            self._append("connections.jsonl", {"time": stamp(), **record})

    def _append(self, name, record, sync=False):
        with open(self.directory / name, "a", encoding="utf-8") as file:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
            file.flush()
            if sync:
                os.fsync(file.fileno())


def _lines(path):
    """The JSON lines of a file; a last one that was cut by a crash was never acted on."""
    if not path.exists():
        return
    for line in path.read_text("utf-8").splitlines():
        try:
            yield json.loads(line)
        except json.JSONDecodeError:
            continue


def _write(path, content):
    with open(path, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(directory):
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
