#!/usr/bin/python3
"""The simulated provider's switches: each does what its name says, and the client that notices is not
the gateway's. Stands alone: loopback, software keys."""
import http.client
import time
import unittest

from provider_client import P, element
from provider_fixture import ProviderTest, content_for, submit
from provider.faults import TABLE  # provider_fixture says where it lies

# What a careful client says to each reply that comes with HTTP 200.
COMPLAINTS = {
    "html": "content type", "wrong-content-type": "content type", "empty": "Document is empty",
    "unsigned": "unsigned", "bad-signature": "signature value", "changed-body": "Body changed",
    "other-signer": "signer", "body-not-signed": "Body not signed",
    "timestamp-not-signed": "Timestamp not signed", "action-not-signed": "Action not signed",
    "relatesto-not-signed": "RelatesTo not signed",
    "wrong-relatesto": "relates to another request", "stale": "not fresh", "future": "not fresh",
    "wrapping-header": "Body not signed", "wrapping-same-id": "Body changed",
    "wrapping-second-body": "bodies", "wrapping-timestamp": "Timestamp not signed",
    "wrapping-relatesto": "RelatesTo not signed", "doctype": "doctype",
    "attributes": "attributes", "deep": "depth"}
CODES = ("not-authorised", "option-not-permitted", "unknown-recipient", "recipient-level",
         "too-large", "malware", "daily-limit", "invalid-message", "private-id-in-use",
         "unavailable")
NOT_PROCESSED = ("html", "empty", "http-503", "http-status", "redirect", "drop-before")


class Switches(ProviderTest):
    def submit(self, fault, **parameters):
        """(reply, was it accepted?)"""
        self.simulator.faults({"operation": "Submit", "fault": fault, "times": 1, **parameters})
        request = submit()
        try:
            reply = self.client.call(request, content_for(request))
        except (OSError, http.client.HTTPException) as error:
            reply = error
        return reply, self.state(request)

    def state(self, request):
        private_id = request.findtext(f"{{{P}}}privateId")
        return self.client.call(
            element("FindSubmission", ("privateId", private_id))).text("state")

    def test_replies_that_a_client_must_not_believe(self):
        for fault, complaint in COMPLAINTS.items():
            with self.subTest(fault):
                reply, state = self.submit(fault)
                self.assertEqual(reply.status, 200)
                self.assertIn(complaint, reply.complaint or "")
                self.assertEqual(state, "unknown" if fault in NOT_PROCESSED else "accepted")

    def test_a_good_reply_about_another_letter(self):
        self.simulator.faults({"operation": "Submit", "fault": "other-private-id", "times": 1})
        request = submit()
        reply = self.client.call(request, content_for(request))
        self.assertIsNone(reply.complaint)
        self.assertNotEqual(reply.text("privateId"), request.findtext(f"{{{P}}}privateId"))
        self.assertEqual(self.state(request), "accepted")

    def test_its_own_faults_are_signed(self):
        for code in CODES:
            with self.subTest(code):
                reply, state = self.submit(code, reason="because", retryAfterSeconds=9)
                self.assertIsNone(reply.complaint)
                self.assertEqual((reply.status, reply.code, reply.text("reason"),
                                  reply.text("retryAfterSeconds")),
                                 (500 if code == "unavailable" else 400, code, "because", "9"))
                self.assertEqual(state, "unknown" if code in (
                    "not-authorised", "daily-limit", "private-id-in-use", "unavailable")
                    else "refused")

    def test_connections_that_end(self):
        for fault, state in (("drop-before", "unknown"), ("drop-after", "accepted")):
            before = len(self.simulator.requests())
            error, found = self.submit(fault)
            self.assertIsInstance(error, (OSError, http.client.HTTPException))
            self.assertEqual(found, state)
            # One request for one attempt, then the look-up.
            self.assertEqual([line["operation"] for line in self.simulator.requests()[before:]],
                             ["Submit", "FindSubmission"])
        error, found = self.submit("truncate", at=100)
        self.assertIsInstance(error, http.client.IncompleteRead)
        self.assertEqual((len(error.partial), found), (100, "accepted"))

    def test_http_of_something_else(self):
        for fault, status in (("http-503", 503), ("http-status", 418), ("redirect", 307)):
            parameters = {"status": 418} if fault == "http-status" else {}
            reply, state = self.submit(fault, **parameters)
            self.assertEqual((reply.status, state), (status, "unknown"))
            reply, state = self.submit(fault, process=True, **parameters)
            self.assertEqual((reply.status, state), (status, "accepted"))
        reply, _ = self.submit("redirect", location="https://elsewhere.example/")
        self.assertEqual(reply.headers["Location"], "https://elsewhere.example/")

    def test_slow_and_long(self):
        for fault in ("delay", "delay-after"):
            begin = time.monotonic()
            reply, _ = self.submit(fault, seconds=0.5)
            self.assertGreaterEqual(time.monotonic() - begin, 0.5)
            self.assertIsNone(reply.complaint)
        reply, _ = self.submit("oversized", bytes=1 << 20)
        self.assertEqual(len(reply.body), 1 << 20)
        begin = time.monotonic()
        reply, _ = self.submit("drip", bytesPerSecond=4000)
        self.assertGreaterEqual(time.monotonic() - begin, 1)
        self.assertIsNone(reply.complaint)

    def test_the_default_sizes_are_what_hurts(self):
        reply, _ = self.submit("attributes")
        self.assertGreater(reply.body.count(b'=""'), 99999)
        reply, _ = self.submit("deep")
        self.assertIn(b"<d>" * 100000 + b"</d>", reply.body)

    def test_every_switch_is_tested_here(self):
        tested = {*COMPLAINTS, *CODES, "other-private-id", "drop-before", "drop-after", "truncate", "http-503",
                  "http-status", "redirect", "delay", "delay-after", "oversized", "drip"}
        self.assertEqual(set(TABLE), tested)

    def test_which_request_and_how_often(self):
        self.simulator.faults({"operation": "GetDomains", "fault": "http-503"},
                              {"operation": "*", "fault": "unavailable", "times": 2})
        self.assertEqual([self.client.call(element(name)).status for name in (
            "GetAccount", "GetDomains", "GetAccount", "GetDomains", "GetAccount")],
            [500, 503, 500, 503, 200])

    def test_the_log_names_the_switch(self):
        self.submit("unavailable")
        line = self.simulator.requests()[-2]
        self.assertEqual((line["switch"], line["outcome"], line["status"]),
                         ("unavailable", "unavailable", 500))


if __name__ == "__main__":
    unittest.main()
