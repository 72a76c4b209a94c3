"""The relay with a token that takes its time: a shim in front of SoftHSM delays each C_Sign."""

import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor

from relay_load import RelayLoad

SESSIONS = 20  # default_destination_concurrency_limit of postconf(5)


class SlowToken:
    def __init__(self, box, build_directory):
        """Before the sandbox's daemons are started."""
        token = box.token
        self.control_file = os.path.join(token.directory, "control")
        shim = os.path.join(token.directory, "shim.so")
        shutil.copy(os.path.join(build_directory, "tests/shim/pkcs11-shim.so"), shim)
        token.environment.update({"DEMAIL_SHIM_MODULE": token.module,
                                  "DEMAIL_SHIM_CONTROL": self.control_file})
        box.relay.environment.update(token.environment)
        box.daemons.write_configuration(
            box.daemons.configuration().replace(token.module, shim))
        token.module = shim
        self.delay(0)
        self.load = RelayLoad(box, build_directory)

    def delay(self, milliseconds):
        with open(self.control_file + ".part", "w", encoding="ascii") as file:
            file.write(f"delay {milliseconds}\n")
        os.chmod(self.control_file + ".part", 0o644)
        os.rename(self.control_file + ".part", self.control_file)

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
