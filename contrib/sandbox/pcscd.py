#!/usr/bin/python3
"""A private pcscd with virtual readers: in a network of its own, for vpcd listens on every address,
and with mounts of its own, so that /run/pcscd, the host's pcscd and its readers are not touched.

Clients need no namespace: libpcsclite takes the socket's path from PCSCLITE_CSOCK_NAME (once per
process), and Pcscd.environment has it. Cards: virtual_card.VirtualCard. Needs root.
"""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import namespaces  # noqa: E402
from daemons import listens  # noqa: E402
from process import Failure, Process  # noqa: E402

PCSCD = "/usr/sbin/pcscd"
DRIVER = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so"
IPC = "/run/pcscd"  # compiled into pcscd
FIRST_PORT = 0x8C7B
NAME = "De-Mail Sandbox {}"


class Pcscd:
    """`readers` virtual readers below `directory`; reader 0's name is readers[0], its vpcd port
    port(0). Each has a second slot, which stays empty: vpcd has two."""

    def __init__(self, directory, readers=1):
        self.directory = os.path.realpath(directory)
        self.ipc = self._path("pcscd")
        self.socket = os.path.join(self.ipc, "pcscd.comm")
        self.environment = {"PCSCLITE_CSOCK_NAME": self.socket}
        # pcscd adds the numbers of the reader among those of its name, and of the slot.
        self.readers = [f"{NAME.format(number)} 00 00" for number in range(readers)]
        self.process = Process("pcscd", [sys.executable, os.path.abspath(__file__), "inside",
                                         self.directory], self.directory)

    def _path(self, *names):
        return os.path.join(self.directory, *names)

    @staticmethod
    def port(reader):
        return FIRST_PORT + 2 * reader

    def create(self):
        if len(self.socket.encode()) > 107:
            raise Failure(f"{self.directory}: the path is too long for a socket; choose another")
        for program in (PCSCD, DRIVER):
            if not os.path.exists(program):
                raise Failure(f"{program} is not there; install pcscd and vsmartcard-vpcd")
        for path in (self.directory, self.ipc, self._path("readers")):
            os.makedirs(path, exist_ok=True)
            os.chmod(path, 0o755)
        with open(self._path("readers", "reader.conf"), "w", encoding="ascii") as file:
            for number in range(len(self.readers)):
                # vpcd keeps its connections in variables of the library, by slot alone: two
                # readers in one library would take each other's.
                library = self._path("readers", f"vpcd-{number}.so")
                shutil.copyfile(DRIVER, library)
                file.write(f'FRIENDLYNAME "{NAME.format(number)}"\n'
                           f"DEVICENAME /dev/null:{self.port(number)}\n"
                           f"LIBPATH {library}\nCHANNELID {self.port(number)}\n")

    @property
    def pid(self):
        return self.process.pid

    def start(self):
        self.process.start()
        try:
            self.process.wait_until(lambda: listens(self.socket), "its socket")
        except Failure:
            self.process.stop()
            raise

    def stop(self):
        self.process.stop()

    def kill(self):
        self.process.kill()

    def restart(self):
        self.stop()
        self.start()

    def log(self):
        return self.process.log()


def inside(directory):
    """Becomes pcscd, in namespaces of its own."""
    namespaces.unshare_network_and_mounts()
    namespaces.raise_loopback()
    # No driver for a USB reader, which is the host's.
    namespaces.mount_empty("/usr/lib/pcsc/drivers")
    namespaces.mount_empty("/run")
    os.mkdir(IPC)
    namespaces.bind(os.path.join(directory, "pcscd"), IPC)
    for name in ("pcscd.comm", "pcscd.pid"):  # of one that was killed; its pid may be another's now
        if os.path.exists(os.path.join(IPC, name)):
            os.unlink(os.path.join(IPC, name))
    command = [PCSCD, "--foreground", "--config", os.path.join(directory, "readers/reader.conf")]
    options = subprocess.run([PCSCD, "--help"], capture_output=True, text=True, check=False)
    if "--disable-polkit" in options.stdout + options.stderr:  # from 2.0 on; asks the system bus
        command.append("--disable-polkit")
    os.execv(PCSCD, command)


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] != "inside":
        sys.exit(__doc__)
    inside(sys.argv[2])
