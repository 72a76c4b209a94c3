"""A message of 45 MiB passes, and memory does not grow with it."""

from harness import ANNA, BOB, EndToEnd, body_of, main, message

LIMIT = 47185920  # message_size_limit of contracts.md


def reset_peak(process):
    with open(f"/proc/{process.pid}/clear_refs", "w", encoding="ascii") as file:
        file.write("5")


class Size(EndToEnd):
    def peak(self, content):
        """Peak RSS in KiB of milter and relay while this message goes through."""
        self.setUp()
        for process in (self.box.milter, self.box.relay):
            reset_peak(process)
        self.send([BOB], content)
        submission, = self.accepted(1, timeout=120)
        self.assertEqual(body_of(submission["content"]), body_of(content))
        return self.box.milter.peak_rss(), self.box.relay.peak_rss()

    def test_45_mib_in_bounded_memory(self):
        small = message(ANNA, [BOB], text="a line of the letter\n" * 190)
        self.peak(small)
        milter, relay = self.peak(small)
        header = message(ANNA, [BOB], text="")
        line = bytes(range(32, 127)).replace(b".", b"") + b"\r\n"
        # Room for Received and the seal.
        large = header + line * ((LIMIT - 4096 - len(header)) // len(line))
        large_milter, large_relay = self.peak(large)
        print(f"peak RSS, KiB: milter {milter} -> {large_milter}, relay {relay} -> {large_relay}")
        self.assertLess(large_milter - milter, 1024)
        self.assertLess(large_relay - relay, 8 * 1024)

    def test_larger_than_postfix_takes_is_refused_at_once(self):
        self.assertRegex(self.refused([BOB], parameters=f" SIZE={LIMIT + 1}"), "^552 ")
        self.nothing_left()


if __name__ == "__main__":
    main()
