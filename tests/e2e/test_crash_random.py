"""Several letters are on their way while relay, provider or milter dies or is told to end."""

import os
import signal
import time

from crash import SOAK, Crash, chosen
from harness import BOB, DORA, EMIL, Refused, main

KILLS = int(os.environ.get("CRASH_KILLS") or (1000 if SOAK else 50))
IN_FLIGHT = 6


class Random(Crash):
    def post_or_wait(self, choice):
        """A letter, unless the milter is away just now."""
        try:
            to, bcc = choice.choice([([BOB], []), ([BOB, DORA], []), ([EMIL], [BOB, DORA])])
            return self.post("under random kills", "line\n" * choice.randrange(3000), to, bcc)
        except (Refused, ConnectionError):
            return None

    def kill(self, choice):
        victim = choice.choices(["relay", "provider", "milter"], [8, 2, 1])[0]
        process = getattr(self.box, victim)
        number = choice.choices([signal.SIGKILL, signal.SIGTERM, signal.SIGHUP], [8, 1, 1])[0]
        if number == signal.SIGHUP and victim != "provider":
            process.popen.send_signal(number)  # it reads its configuration, and goes on
            return
        process.popen.send_signal(number)
        if number == signal.SIGTERM:
            process.stop()
        if victim == "relay" and choice.random() < 0.3:
            # Once more while it starts.
            process.kill()
            self.mend_token()
            process.start()
            time.sleep(choice.uniform(0, 0.25))
        process.kill()
        self.mend_token()
        if victim == "provider":
            self.box.start_provider()
        elif victim == "milter":
            self.box.daemons.start_milter()
        else:
            self.box.daemons.start_relay()

    def test_letters_under_random_kills(self):
        self.mend_token()  # a copy before the first kill
        choice, letters, kills = chosen("random"), [], 0
        while kills < KILLS:
            self.read_postfix()
            waiting = [letter for letter in letters if not letter.removed]
            for _ in range(choice.randint(0, IN_FLIGHT - len(waiting))
                           if len(waiting) < IN_FLIGHT else 0):
                letters.append(self.post_or_wait(choice))
                letters = [letter for letter in letters if letter]
            self.box.postfix.flush()
            time.sleep(choice.uniform(0, 0.5))
            self.kill(choice)
            kills += 1
        self.deliver(letters, 120)
        self.assertGreater(len(letters), KILLS / 2)
        self.check(letters, count=False)
        self.tally.points = kills
        print(f"\n{self.tally.mended} times SoftHSM's token was mended")
        self.totals(f"{len(letters)} letters under random kills")


if __name__ == "__main__":
    main()
