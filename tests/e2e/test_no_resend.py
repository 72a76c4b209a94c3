"""One request for one attempt: what the provider's log shows when a connection dies."""

import json
import os
import re

from harness import BOB, EndToEnd, main, wait_for


class NoResend(EndToEnd):
    def setUp(self):
        super().setUp()
        self.addCleanup(self.box.faults)
        self.send([BOB])  # leaves a connection that is kept, of GetAccount or the domain list
        self.accepted(1)
        super().setUp()
        self.lines_before = len(self.lines("requests"))
        self.connections_before = len(self.lines("connections"))
        self.log_before = len(self.box.postfix.log())

    def lines(self, name):
        path = os.path.join(self.box.provider_directory, name + ".jsonl")
        with open(path, encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def operations(self):
        """What reached the provider in this test."""
        return [line["operation"] for line in self.lines("requests")[self.lines_before:]]

    def deferred(self):
        return wait_for(lambda: re.search(r"status=deferred .*", self.box.postfix.log()[
            self.log_before:]), 30, "a deferral").group()

    def test_a_kept_connection_that_died_between_two_submissions_costs_nothing(self):
        self.box.provider.kill()
        self.box.start_provider()
        self.send([BOB])
        self.accepted(1)
        self.assertEqual(self.operations(), ["Submit"])
        self.assertNotIn("status=deferred", self.box.postfix.log()[self.log_before:])

    def test_each_submission_has_a_connection_of_its_own(self):
        for _ in range(3):
            self.send([BOB])
        self.accepted(3)
        self.assertEqual(self.operations(), ["Submit"] * 3)
        self.assertEqual(len(self.lines("connections")) - self.connections_before, 3)

    def test_a_connection_that_dies_after_the_request_is_looked_up(self):
        self.box.faults({"operation": "Submit", "times": 1, "fault": "drop-after"})
        self.send([BOB])
        self.assertIn("451 4.4.2 ", self.deferred())
        self.accepted(1)
        self.assertEqual(self.operations(), ["Submit", "FindSubmission"])

    def test_only_what_was_unknown_twice_is_sent_a_second_time(self):
        self.box.faults({"operation": "Submit", "times": 1, "fault": "drop-before"})
        self.send([BOB])
        self.assertIn("451 4.4.2 ", self.deferred())
        self.accepted(1)
        operations = self.operations()
        self.assertEqual((operations[0], operations[-1]), ("Submit", "Submit"))
        self.assertGreaterEqual(len(operations), 4)
        self.assertEqual(set(operations[1:-1]), {"FindSubmission"})
        # The same private-id: had the first one come through, this would not be a second letter.
        self.assertEqual(len({line["privateId"] for line in
                              self.lines("requests")[self.lines_before:]}), 1)

    def test_a_kept_connection_that_dies_under_a_look_up_does_not_send_the_letter(self):
        # Twice: libcurl itself asks again where a kept connection ends without an answer.
        self.box.faults({"operation": "Submit", "times": 1, "fault": "drop-after"},
                        {"operation": "FindSubmission", "times": 4, "fault": "drop-before"})
        self.send([BOB])
        self.deferred()
        self.accepted(1)
        operations = self.operations()
        self.assertEqual(operations[0], "Submit")
        self.assertEqual(set(operations[1:]), {"FindSubmission"})


if __name__ == "__main__":
    main()
