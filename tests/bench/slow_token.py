"""The relay with a token that takes its time: a shim in front of SoftHSM delays each C_Sign."""

import time
from concurrent.futures import ThreadPoolExecutor

from relay_load import RelayLoad
from token_shim import ShimmedToken

SESSIONS = 20  # default_destination_concurrency_limit of postconf(5)


class SlowToken:
    def __init__(self, box, build_directory):
        """Before the sandbox's daemons are started."""
        self.shim = ShimmedToken(box)
        box.token.environment.update(self.shim.environment)  # the floor's too
        box.token.module = self.shim.module
        self.load = RelayLoad(box, build_directory)

    def delay(self, milliseconds):
        self.shim.does(f"delay {milliseconds}")

    def signatures_per_second(self, count):
        """One after the other, from one thread."""
        return 1000 / self.load.sign_wall(count)

    def submissions_per_second(self, count):
        """By as many LMTP sessions as Postfix opens to one destination."""
        contents = [self.load.sealed() for _ in range(count)]
        with ThreadPoolExecutor(SESSIONS) as sessions:
            began = time.monotonic()
            for done in [sessions.submit(self.load.submit, [one]) for one in contents]:
                done.result()
            return count / (time.monotonic() - began)
