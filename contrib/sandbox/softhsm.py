"""A SoftHSM token with De-Mail's keys, made in it, and the certificates that the CA gave them."""

import os
import secrets
import subprocess
import tempfile

from process import Failure

MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
           "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so")


def find_module():
    for path in MODULES:
        if os.path.exists(path):
            return path
    raise Failure("libsofthsm2.so was not found; install softhsm2")


def run(command, environment):
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    if done.returncode:
        raise Failure(f"{command[0]} failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


class Token:
    """Everything lies in DIRECTORY/token. `environment` is what a user of the token must have
    set."""

    kind = "softhsm"
    parts = ()  # no process of its own

    def __init__(self, directory, _build_directory=None, label="demail-sandbox"):
        self.directory = directory = os.path.join(os.path.realpath(directory), "token")
        self.label = label
        self.module = find_module()
        self.pin_file = os.path.join(directory, "pin")
        self.environment = {"SOFTHSM2_CONF": os.path.join(directory, "softhsm2.conf")}

    def create(self, *_):
        os.makedirs(self.directory, exist_ok=True)
        tokens = os.path.join(self.directory, "tokens")
        os.makedirs(tokens, mode=0o700)
        with open(self.environment["SOFTHSM2_CONF"], "w", encoding="utf-8") as file:
            file.write(f"directories.tokendir = {tokens}\nobjectstore.backend = file\n"
                       "log.level = ERROR\n")
        with open(os.open(self.pin_file, os.O_CREAT | os.O_WRONLY, 0o600), "w",
                  encoding="ascii") as file:
            file.write(f"{secrets.randbelow(10**8):08d}\n")
        run(["softhsm2-util", "--init-token", "--free", "--label", self.label,
             "--so-pin", f"{secrets.randbelow(10**8):08d}", "--pin", self.pin], self._env())

    @property
    def pin(self):
        with open(self.pin_file, encoding="ascii") as file:
            return file.read().strip()

    def _env(self):
        return {**os.environ, **self.environment, "DEMAIL_SANDBOX_PIN": self.pin}

    def start(self):
        """Nothing runs."""

    stop = start

    def tool(self, *arguments):
        """pkcs11-tool, logged in; the PIN goes by the environment, not by the command line."""
        return run(["pkcs11-tool", "--module", self.module, "--token-label", self.label,
                    "--login", "--pin", "env:DEMAIL_SANDBOX_PIN", *arguments], self._env())

    def make_key(self, label, object_id, issue, key_type="rsa:2048"):
        """Makes a key pair in the token; issue(public key in PEM) gives its certificate in PEM.

        Returns the certificate. `key_type` as pkcs11-tool names it: rsa:3072, EC:prime256v1 …
        """
        self.tool("--keypairgen", "--key-type", key_type, "--label", label, "--id", object_id,
                  "--usage-sign")
        with tempfile.TemporaryDirectory(dir=self.directory) as scratch:
            public, der = (os.path.join(scratch, name) for name in ("public", "certificate"))
            self.tool("--read-object", "--type", "pubkey", "--id", object_id, "-o", public)
            env = self._env()
            pem = run(["openssl", "pkey", "-pubin", "-inform", "DER", "-in", public], env)
            certificate = issue(pem)
            with open(public, "wb") as file:
                file.write(certificate)
            run(["openssl", "x509", "-in", public, "-outform", "DER", "-out", der], env)
            self.tool("--write-object", der, "--type", "cert", "--label", label,
                      "--id", object_id)
        return certificate

    def uri(self, object_label):
        return (f"pkcs11:token={self.label};object={object_label}"
                f"?module-path={self.module}&pin-source=file:{self.pin_file}")
