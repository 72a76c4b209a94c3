#!/usr/bin/python3
"""A DNS server of the test's own, Debian's dnsmasq, in a network and with an /etc/resolv.conf of its
own: a program that runs in there asks it alone, and the host's DNS is not touched."""

import os
import shutil
import signal
import sys
import unittest

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
sys.path.insert(0, os.path.join(SOURCE, "contrib/sandbox"))

import namespaces  # noqa: E402
from process import Process  # noqa: E402


class DnsServer:
    """It knows all below .example; what else there is it refuses to answer."""

    def __init__(self, directory):
        program = shutil.which("dnsmasq", path="/usr/sbin:/usr/bin")
        if program is None:
            raise unittest.SkipTest("dnsmasq is not installed")
        if not namespaces.allowed():
            raise unittest.SkipTest("this container forbids namespaces of one's own")
        self.directory = os.path.join(directory, "dns")
        self.configuration = os.path.join(self.directory, "dnsmasq.conf")
        self.place = Process("dns-network", [sys.executable, os.path.abspath(__file__),
                                             self.directory], directory)
        self.server = Process("dnsmasq", [], directory)
        self.program = program

    def create(self):
        os.makedirs(self.directory)
        with open(os.path.join(self.directory, "resolv.conf"), "w", encoding="ascii") as file:
            file.write("nameserver 127.0.0.1\n")
        self.place.start()
        self.place.wait_until(lambda: os.path.exists(os.path.join(self.directory, "ready")),
                              "its network")
        self.server.command = self.inside(self.program, "--keep-in-foreground",
                                          f"--conf-file={self.configuration}")

    def inside(self, *command):
        """The command, to be run in there."""
        return ["nsenter", "--target", str(self.place.pid), "--net", "--mount", "--", *command]

    def serve(self, *domains, port=1465):
        """De-Mail domains from now on."""
        self.server.stop()
        with open(self.configuration, "w", encoding="ascii") as file:
            file.write("user=root\npid-file=\nlisten-address=127.0.0.1\nbind-interfaces\n"
                       "no-resolv\nno-hosts\nlocal=/example/\nlog-queries\nlog-facility=-\n"
                       + "".join(f"srv-host=_smtp._tcp.{domain},mx.{domain},{port}\n"
                                 for domain in domains))
        before = self.server.log().count("started, version")
        self.server.start()
        self.server.wait_until(
            lambda: self.server.log().count("started, version") > before, "its start")

    def stop(self):
        self.server.stop()

    def end(self):
        self.stop()
        self.place.stop()


def main(directory):
    namespaces.unshare_network_and_mounts()
    namespaces.raise_loopback()
    namespaces.bind(os.path.join(directory, "resolv.conf"), os.path.realpath("/etc/resolv.conf"))
    open(os.path.join(directory, "ready"), "w", encoding="ascii").close()
    signal.pause()


if __name__ == "__main__":
    main(sys.argv[1])
