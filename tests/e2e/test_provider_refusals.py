#!/usr/bin/python3
"""The simulated provider: what it refuses, each by its reason. A client of its own tampers with one
thing at a time. Stands alone: loopback, software keys."""
import unittest
import uuid

from lxml import etree

from provider_client import P, WSA, WSU, Wish, element, multipart
from provider_fixture import (BOB, CARLA, NOBODY, SENDER, ProviderTest, content_for, new_id, submit)

MAX = "max@rival.de-mail.de"


class Refused(ProviderTest):
    def assert_refused(self, code, reason, request, content=None, client=None, status=400):
        reply = (client or self.client).call(request, content)
        self.assertIsNone(reply.complaint)
        self.assertEqual((reply.status, reply.name, reply.code), (status, "Fault", code))
        self.assertIn(reason, reply.text("reason"))
        return reply

    def test_content_that_disagrees_with_the_request(self):
        for reason, changes in {
                "x-de-mail-private is not no": {"x_de_mail_private": "yes"},
                "x-de-mail-authoritative is not no": {"x_de_mail_authoritative": "NO"},
                "x-de-mail-sender": {"x_de_mail_sender": "eve@firm.de-mail.de"},
                "privateId": {"x_de_mail_private_id": new_id()},
                "name the request's": {"x_de_mail_chosen_recipient": f"to={BOB};cc={CARLA}"},
                "repeats": {"x_de_mail_chosen_recipient": f"to={BOB};to={CARLA}"},
                "stands 2 times": {"x_de_mail_private": ["no", "yes"]},
                "stands 0 times": {"x_de_mail_authoritative": None},
                "From is not": {"From": f"{SENDER}, eve@firm.de-mail.de"},
                "from stands 2": {"From": [SENDER, SENDER]},
                "Sender": {"Sender": "eve@example.org"},
                "Reply-To": {"Reply_To": f"{SENDER}, eve@example.org"},
                "subject is missing": {"Subject": None},
                "bcc has no place": {"Bcc": CARLA},
                "received has no place": {"Received": "from somewhere"},
                "demail-seal has no place": {"Demail_Seal": "v=1"},
                "x-de-mail-auth-level has no place": {"x_de_mail_auth_level": "high"},
                "x_de-mail-integrity has no place": {"x_de_mail_integrity": None,
                                                     "xXde_mail_integrity": "c=1"},
                "resent-to has no place": {"Resent_To": BOB},
                "does not stand in that field": {"To": CARLA}}.items():
            with self.subTest(reason):
                request = submit()
                content = content_for(request, **changes).replace(b"xXde", b"x_de")
                self.assert_refused("invalid-message", reason, request, content)

    def test_content_that_is_no_message_with_crlf(self):
        for body in (b"bare\nLF\r\n", b"bare\rCR\r\n", b"NUL\0\r\n"):
            request = submit()
            self.assert_refused("invalid-message", "bare CR", request, content_for(request, body))
        request = submit()
        self.assert_refused("invalid-message", "no field", request,
                            b"no colon\r\n" + content_for(request))

    def test_a_bcc_recipient_shown_or_in_company(self):
        request = submit(recipients=((BOB, "bcc"),))
        self.assert_refused("invalid-message", "stands in To or Cc", request,
                            content_for(request, Cc=f"B <{BOB.upper()}>"))
        request = submit(recipients=((CARLA, "to"), (BOB, "bcc")))
        self.assert_refused("invalid-message", "not alone", request, content_for(request))

    def test_senders_rights_and_sizes_of_the_account(self):
        rival = self.simulator.client(self.simulator.rival)
        for code, reason, sender, options, body in (
                ("not-authorised", "sender", SENDER, (), b""),
                ("not-authorised", "sender", "eve@rival.de-mail.de", (), b""),
                ("option-not-permitted", "level high", MAX, ("authoritative",), b""),
                ("option-not-permitted", "may not use", MAX, ("confirmation-of-receipt",), b""),
                ("too-large", "2000", MAX, (), b"x" * 2000)):
            with self.subTest(reason):
                request = submit(sender=sender, options=options)
                self.assert_refused(code, reason, request, content_for(request, body), rival)

    def test_too_many_messages_a_day(self):
        rival = self.simulator.client(self.simulator.rival)
        for _ in range(2):
            request = submit(sender=MAX)
            self.assertEqual(rival.call(request, content_for(request)).name, "Submitted")
        request = submit(sender=MAX)
        reply = self.assert_refused("daily-limit", "today", request, content_for(request), rival)
        self.assertEqual(reply.text("retryAfterSeconds"), "3600")

    def test_all_recipients_bad_gives_the_first_ones_code(self):
        request = submit(recipients=((CARLA, "to"), (NOBODY, "to")), options=("private",))
        self.assert_refused("recipient-level", CARLA, request, content_for(request))

    def test_a_private_id_is_accepted_once(self):
        private_id = new_id()
        first, second = submit(private_id), submit(private_id)
        self.assertEqual(self.client.call(first, content_for(first)).name, "Submitted")
        self.assert_refused("private-id-in-use", "before", second, content_for(second, b"other"))
        stored = [record for record, _ in self.simulator.accepted()
                  if record["privateId"] == private_id]
        self.assertEqual(len(stored), 1)

    def test_a_request_against_the_schema(self):
        request = submit()
        request[0], request[1] = request[1], request[0]
        self.assert_refused("invalid-message", "schema", request, content_for(request))
        self.assert_refused("invalid-message", "schema", element("ListMessages", ("limit", "0")))

    def test_certificates_of_no_account_or_of_another(self):
        stranger = self.simulator.client(self.simulator.stranger)
        self.assert_refused("not-authorised", "TLS certificate", element("GetAccount"),
                            client=stranger)
        reply = self.client.call(element("GetAccount"), wish=Wish(signer=self.simulator.rival))
        self.assertEqual((reply.code, reply.complaint), ("not-authorised", None))


class NotAuthenticated(ProviderTest):
    """403, unsigned, nothing done."""

    def assert_denied(self, reason, wish, request=None, content=None):
        before = len(self.simulator.accepted())
        if request is None:
            request = submit()
            content = content_for(request)
        reply = self.client.call(request, content, wish)
        self.assertEqual(reply.status, 403, reply.body)
        self.assertIn(reason, reply.body.decode())
        self.assertEqual(len(self.simulator.accepted()), before)

    def test_what_is_not_signed(self):
        for name in ("Body", "Timestamp", "To", "Action", "MessageID"):
            self.assert_denied(f"{name} is not signed", Wish(omit=(name,)))

    def test_what_was_changed_after_signing(self):
        def change(tag, text):
            def act(envelope):
                next(envelope.iter(tag)).text = text
            return act
        for reason, tag, text in (
                ("Body", f"{{{P}}}sender", "eve@firm.de-mail.de"),
                ("Timestamp", f"{{{WSU}}}Expires", "2099-01-01T00:00:00Z"),
                ("Action", f"{{{WSA}}}Action", f"{P}/GetAccount"),
                ("MessageID", f"{{{WSA}}}MessageID", uuid.uuid4().urn)):
            self.assert_denied(f"{reason} is not as it was signed",
                               Wish(after_signing=change(tag, text)))

    def test_an_attachment_changed_after_signing(self):
        self.assert_denied("Body is not as it was signed", Wish(
            wire=lambda media, body: (media, body.replace(b"Hello\r\n--", b"Hallo\r\n--"))
            if b"Hello\r\n--" in body else (media, body.replace(b"Hello", b"Hallo"))))

    def test_a_bad_signature_value(self):
        def spoil(envelope):
            value = next(envelope.iter("{*}SignatureValue"))
            value.text = ("B" if value.text[0] == "A" else "A") + value.text[1:]
        self.assert_denied("the signature is bad", Wish(after_signing=spoil))

    def test_a_signature_by_another_key_than_the_tokens(self):
        def swap(envelope):
            token = next(envelope.iter("{*}BinarySecurityToken"))
            pem = self.simulator.rival.certificate.read_text()
            token.text = "".join(pem.split("\n")[1:-2])
        self.assert_denied("the signature is bad", Wish(after_signing=swap))

    def test_wrapping(self):
        def wrap(envelope):
            body = envelope.find("{*}Body")
            forged = etree.fromstring(etree.tostring(body))
            del forged.attrib[f"{{{WSU}}}Id"]
            envelope.replace(body, forged)
            etree.SubElement(envelope.find("{*}Header"), "{urn:x}Wrapper").append(body)

        def wrap_same_id(envelope):
            wrap(envelope)
            envelope.find("{*}Body").set(f"{{{WSU}}}Id", "id-Body")

        request = element("GetAccount")
        self.assert_denied("Body is not signed", Wish(after_signing=wrap), request)
        self.assert_denied("two elements of the Id", Wish(after_signing=wrap_same_id),
                           element("GetAccount"))

    def test_algorithms_that_are_too_weak(self):
        def downgrade(envelope):
            for node in envelope.iter("{*}DigestMethod"):
                node.set("Algorithm", "http://www.w3.org/2000/09/xmldsig#sha1")
        self.assert_denied("digest algorithm", Wish(after_signing=downgrade))

        def sha1(envelope):
            next(envelope.iter("{*}SignatureMethod")).set(
                "Algorithm", "http://www.w3.org/2000/09/xmldsig#rsa-sha1")
        self.assert_denied("signature algorithm", Wish(after_signing=sha1))

    def test_time(self):
        self.assert_denied("is over", Wish(age=400))
        self.assert_denied("future", Wish(age=-120))
        self.assert_denied("five minutes", Wish(lifetime=301))
        reply = self.client.call(element("GetAccount"), wish=Wish(age=-30))
        self.assertEqual(reply.name, "Account")

    def test_another_endpoint_or_action(self):
        self.assert_denied("To is not", Wish(to="https://other.example/demail"))
        self.assert_denied("Action", Wish(action=f"{P}/FindSubmission"))

    def test_a_replayed_message_id_also_after_a_restart(self):
        wish = Wish(message_id=uuid.uuid4().urn)
        self.assertEqual(self.client.call(element("GetAccount"), wish=wish).name, "Account")
        self.assert_denied("used before", wish)
        self.simulator.stop()
        self.simulator.start()
        self.client = self.simulator.client()
        self.assert_denied("used before", wish)


class Unreadable(ProviderTest):
    def assert_unreadable(self, reason, wire, content=b""):
        request = submit()
        reply = self.client.call(request, content or content_for(request), Wish(wire=wire))
        self.assertEqual((reply.status, reply.complaint is None), (400, False))
        self.assertIn(reason, reply.body.decode())
        self.assertEqual(self.simulator.accepted(), [])

    def test_packaging(self):
        def parts(*arguments):
            return lambda media, body: (media, body.replace(*arguments))
        self.assert_unreadable("Content-ID", parts(b"<c@test>", b"<r@test>"))
        self.assert_unreadable("closing boundary", parts(b"--=_b--", b""))
        self.assert_unreadable("transferred as binary", parts(b"binary\r\nContent-ID: <c",
                                                              b"base64\r\nContent-ID: <c"))
        self.assert_unreadable("Content-Type text/xml", lambda _, body: ("text/xml", body))

    def test_xml(self):
        def xml(text):
            return lambda *_: ("application/soap+xml", text)
        self.assert_unreadable("DOCTYPE", xml(b'<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>'))
        self.assert_unreadable("attributes", xml(
            b"<a " + b" ".join(b'a%d=">"' % n for n in range(100000)) + b"/>"))
        self.assert_unreadable("deep", xml(b"<a>" * 100 + b"</a>" * 100))
        self.assert_unreadable("not well-formed", xml(b"<a>" * 100000))
        self.assert_unreadable("not UTF-8", xml("<a/>".encode("utf-16")))
        self.assert_unreadable("comments", xml(b"<a><!-- x --></a>"))

    def test_references_to_parts(self):
        def attach(media, body):
            return multipart(body.partition(b"\r\n\r\n")[2].partition(b"\r\n--")[0], b"x", "other")
        request = submit()
        reply = self.client.call(request, content_for(request), Wish(wire=attach))
        self.assertEqual((reply.status, reply.body), (403, b"xop:Include names no part\n"))


if __name__ == "__main__":
    unittest.main()
