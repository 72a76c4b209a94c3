"""The sandbox's token behind the shim (tests/shim), which makes it fail as a test says."""

import os
import shutil

from harness import BUILD

SHIM = os.path.join(BUILD, "tests/shim/pkcs11-shim.so")


class ShimmedToken:
    """Between create() and start(): the configuration's keys are behind the shim from then on."""

    def __init__(self, box):
        if not os.path.exists(SHIM):
            raise AssertionError(f"{SHIM} is not there; run make check")
        directory = box.token.directory
        part = lambda name: os.path.join(directory, name)  # noqa: E731
        self.control_file, self.calls_file = part("control"), part("calls")
        shutil.copy(SHIM, part("shim.so"))  # the relay's user can read it here
        with open(self.calls_file, "w", encoding="ascii"):
            os.chmod(self.calls_file, 0o666)
        self.module = part("shim.so")
        self.environment = {
            "DEMAIL_SHIM_MODULE": box.token.module, "DEMAIL_SHIM_CONTROL": self.control_file,
            "DEMAIL_SHIM_LOG": self.calls_file}
        box.daemons.write_configuration(
            box.daemons.configuration().replace(box.token.module, self.module))
        box.relay.environment.update(self.environment)
        self.versions = 0
        self.does()

    def does(self, *lines):
        """From the next call on, this (tests/shim/pkcs11-shim.cpp) and nothing said before."""
        self.versions += 1
        with open(self.control_file + ".part", "w", encoding="ascii") as file:
            file.write("\n".join((f"# {self.versions}", *lines, "")))
        os.chmod(self.control_file + ".part", 0o644)
        os.rename(self.control_file + ".part", self.control_file)

    def calls(self, function):
        with open(self.calls_file, encoding="ascii") as file:
            return sum(line.startswith(function + " ") for line in file)
