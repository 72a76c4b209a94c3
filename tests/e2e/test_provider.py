#!/usr/bin/python3
"""The simulated provider: what it accepts, keeps and tells. It judges the gateway in the other tests; this
one judges it, with a client of its own. Stands alone: loopback, software keys."""
import hashlib
import http.client
import socket
import ssl
import unittest

from provider_client import P, Wish, element
from provider_fixture import (BOB, CARLA, NOBODY, ProviderTest, Simulator, content_for, new_id,
                              submit)


class Accepted(ProviderTest):
    def test_the_content_is_kept_byte_for_byte(self):
        request = submit(recipients=((BOB, "to"), (CARLA, "cc")), options=("authoritative",))
        body = b"\r\n.\r\n  \xc3\xa4\xff trailing \r\n" + b"x" * 5000 + b"\r\nno end of line"
        content = content_for(request, body, Reply_To="firm@firm.de-mail.de")
        reply = self.client.call(request, content)
        self.assertEqual((reply.status, reply.complaint, reply.name), (200, None, "Submitted"))
        record, stored = self.simulator.accepted()[-1]
        self.assertEqual(stored, content)
        self.assertEqual(record["messageId"], reply.text("messageId"))
        self.assertEqual(record["sha256"], hashlib.sha256(content).hexdigest())
        self.assertEqual(record["recipients"], [{"address": BOB, "field": "to"},
                                                {"address": CARLA, "field": "cc"}])

    def test_content_as_base64_text_means_the_same(self):
        request = submit()
        content = content_for(request)
        self.assertEqual(self.client.call(request, content, Wish(mtom=False)).name, "Submitted")
        self.assertEqual(self.simulator.accepted()[-1][1], content)

    def test_a_bcc_recipient_alone_is_accepted(self):
        request = submit(recipients=((BOB, "bcc"),))
        self.assertEqual(self.client.call(request, content_for(request)).name, "Submitted")

    def test_prefix_lists_of_exclusive_c14n_are_understood(self):
        reply = self.client.call(element("GetAccount"), wish=Wish(prefixes=("s", "a", "p")))
        self.assertEqual(reply.name, "Account")

    def test_some_bad_recipients_are_named_and_the_rest_is_accepted(self):
        request = submit(recipients=((BOB, "to"), (NOBODY, "to"), (CARLA, "cc")),
                         options=("private",))
        reply = self.client.call(request, content_for(request))
        self.assertEqual(reply.name, "Submitted")
        rejected = [[node.text for node in one][:2]
                    for one in reply.payload.iter(f"{{{P}}}rejected")]
        self.assertEqual(rejected, [[NOBODY, "unknown-recipient"], [CARLA, "recipient-level"]])

    def test_45_mib_are_taken_within_10_seconds_of_processor_time(self):
        request = submit()
        content = content_for(request, b"0123456789abcde\r\n" * (45 * 1048576 // 17))
        begin = self.simulator.processor_seconds()
        reply = self.client.call(request, content)
        self.assertLess(self.simulator.processor_seconds() - begin, 10)
        self.assertEqual(reply.name, "Submitted")
        self.assertEqual(self.simulator.accepted()[-1][0]["bytes"], len(content))

    def test_one_connection_serves_several_requests(self):
        connection = self.client.connect()
        self.addCleanup(connection.close)
        for _ in range(3):
            self.assertEqual(self.client.call(element("GetAccount"), connection=connection).name,
                             "Account")

    def test_a_tls_session_is_resumed_and_the_log_says_so(self):
        self.client.tls.maximum_version = ssl.TLSVersion.TLSv1_2
        first = self.client.connect()
        self.client.call(element("GetAccount"), connection=first)
        raw = socket.create_connection((self.client.url.hostname, self.client.url.port))
        second = self.client.connect()
        second.sock = self.client.tls.wrap_socket(
            raw, server_hostname=self.client.url.hostname, session=first.sock.session)
        self.client.call(element("GetAccount"), connection=second)
        first.close()
        second.close()
        tls = self.simulator.requests()[-1]["tls"]
        self.assertEqual((tls["version"], tls["resumed"]), ("TLSv1.2", True))


class OtherKeys(unittest.TestCase):
    def test_every_kind_of_key_may_sign_requests_and_replies(self):
        for settings in ({"key_type": "p256", "signer_type": "p384"},
                         {"key_type": "p521", "signer_type": "p521"}, {"pss": True}):
            with self.subTest(settings):
                simulator = Simulator(**settings)
                self.addCleanup(simulator.close)
                client = simulator.client()
                wish = Wish(algorithm="pss") if "pss" in settings else None
                self.assertEqual(client.call(element("GetAccount"), wish=wish).name, "Account")


class Connections(ProviderTest):
    def test_a_client_without_a_certificate_of_the_ca_gets_no_connection(self):
        context = ssl.create_default_context(cafile=self.simulator.ca)
        for identity in (None, self.simulator.outsider):
            if identity:
                context.load_cert_chain(identity.certificate, identity.key)
            self.client.tls = context
            with self.assertRaises((OSError, http.client.HTTPException)):
                self.client.call(element("GetAccount"))
        self.assertEqual(self.simulator.requests(), [])

    def test_http(self):
        for method, path, headers, status in (
                ("GET", "/demail", {}, 501), ("POST", "/other", {"Content-Length": "0"}, 404),
                ("POST", "/demail", {"Transfer-Encoding": "chunked"}, 411),
                ("POST", "/demail", {"Content-Length": "99999999999"}, 413)):
            connection = self.client.connect()
            connection.putrequest(method, path)
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders()
            self.assertEqual(connection.getresponse().status, status)
            connection.close()


class Ending(unittest.TestCase):
    def test_sigterm_ends_it_at_once_even_with_an_open_connection(self):
        simulator = Simulator()
        self.addCleanup(simulator.close)
        connection = simulator.client().connect()
        self.addCleanup(connection.close)
        connection.connect()
        self.assertLess(simulator.stop(), 5)  # a second, and the machine may be busy
        self.assertFalse((simulator.directory / "port").exists())


class Lookups(ProviderTest):
    def found(self, private_id, client=None):
        reply = (client or self.client).call(element("FindSubmission", ("privateId", private_id)))
        self.assertEqual(reply.text("privateId"), private_id)
        return reply.text("state"), reply

    def test_find_submission_tells_what_became_of_it_also_after_a_restart(self):
        good, bad, never = submit(), submit(recipients=((NOBODY, "to"),)), new_id()
        accepted = self.client.call(good, content_for(good))
        self.client.call(bad, content_for(bad))
        for _ in range(2):
            state, reply = self.found(good.findtext(f"{{{P}}}privateId"))
            self.assertEqual((state, reply.text("messageId"), reply.text("acceptedAt")),
                             ("accepted", accepted.text("messageId"), accepted.text("acceptedAt")))
            state, reply = self.found(bad.findtext(f"{{{P}}}privateId"))
            self.assertEqual(state, "refused")
            self.assertIn(NOBODY, reply.text("reason"))
            self.assertEqual(self.found(never)[0], "unknown")
            self.simulator.stop()
            self.simulator.start()
            self.client = self.simulator.client()

    def test_an_account_finds_only_its_own(self):
        request = submit()
        self.client.call(request, content_for(request))
        rival = self.simulator.client(self.simulator.rival)
        self.assertEqual(self.found(request.findtext(f"{{{P}}}privateId"), rival)[0], "unknown")

    def test_get_account(self):
        reply = self.client.call(element("GetAccount"))
        self.assertEqual([node.text for node in reply.payload],
                         ["Firm GmbH", "high", "firm.de-mail.de", "confirmation-of-dispatch",
                          "confirmation-of-receipt", "confirmation-of-retrieve", "authoritative",
                          "private", str(48 << 20)])

    def test_get_domains(self):
        reply = self.client.call(element("GetDomains", ("knownVersion", "6")))
        self.assertEqual([node.text for node in reply.payload],
                         ["7", "false", "firm.de-mail.de", "other.de-mail.de"])
        reply = self.client.call(element("GetDomains", ("knownVersion", "7")))
        self.assertEqual([node.text for node in reply.payload], ["7", "true"])

    def test_lookup_recipient(self):
        for address, wanted in ((BOB, ["true", "high", "true"]), (CARLA, ["true", "normal", "true"]),
                                (NOBODY, ["false"]), ("bob@example.org", ["false"])):
            reply = self.client.call(element("LookupRecipient", ("address", address)))
            self.assertEqual([node.text for node in reply.payload], [address, *wanted])

    def test_the_mailbox(self):
        inbox = self.simulator.directory / "inbox"
        for name in ("a.eml", "b.eml", "c.eml"):
            (inbox / name).write_bytes(b"Subject: " + name.encode() + b"\r\n\r\n\xff\r\n")
        reply = self.client.call(element("ListMessages", ("limit", "2")))
        ids = [node.text for node in reply.payload.iter(f"{{{P}}}id")]
        self.assertEqual((ids, reply.text("next")), (["a.eml", "b.eml"], "b.eml"))
        reply = self.client.call(element("ListMessages", ("after", "b.eml"), ("limit", "2")))
        self.assertEqual((reply.text("id"), reply.text("next")), ("c.eml", None))
        reply = self.client.call(element("FetchMessage", ("id", "b.eml")))
        self.assertIn(b"Subject: b.eml\r\n\r\n\xff\r\n", reply.body)
        self.assertIsNone(reply.complaint)
        self.client.call(element("AcknowledgeMessage", ("id", "b.eml")))
        self.assertEqual(self.client.call(element("FetchMessage", ("id", "b.eml"))).code,
                         "invalid-message")
        self.assertEqual(self.client.call(
            element("FetchMessage", ("id", "../provider.json"))).code, "invalid-message")


if __name__ == "__main__":
    unittest.main()
