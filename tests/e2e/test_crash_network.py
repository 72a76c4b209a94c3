"""The connection to the provider ends within the request or the reply: the letter is sent once."""

from crash import SOAK, Crash, chosen
from cutting_proxy import CuttingProxy
from harness import main
from sandbox import free_port

KIB = 1024


class Network(Crash):
    @classmethod
    def prepare(cls):
        super().prepare()
        provider, port = cls.box.ports["provider"], free_port()
        text = cls.box.daemons.configuration()
        cls.box.daemons.write_configuration(text.replace(f":{provider}/", f":{port}/"))
        cls.box.write_provider({**cls.box.provider_json(),
                                "endpoint": f"https://localhost:{port}/demail"})
        cls.proxy = CuttingProxy(port, provider)
        cls.addClassCleanup(cls.proxy.close)

    def cut_each_kib(self, direction, step):
        self.assertEqual(self.deliver([self.post()]), [])  # GetAccount has been asked
        choice, after = chosen(direction), step
        while True:
            cuts = self.proxy.cuts
            self.proxy.cut(direction, after, choice.random() < 0.5)
            letter = self.post(f"cut after {after} bytes of the {direction}",
                               ("x" * 70 + "\n") * 290)
            self.assertEqual(self.deliver([letter]), [])
            self.check([letter], count=self.proxy.cuts > cuts)
            if self.proxy.cuts == cuts:
                break
            after += step
        self.proxy.forget()
        self.totals(f"the {direction}", "cuts")
        return after

    def test_a_connection_cut_after_each_kib_of_the_request(self):
        # Handshake and all, there are more bytes than the letter has.
        self.assertGreater(self.cut_each_kib("request", KIB // 4 if SOAK else KIB), 20 * KIB)

    def test_a_connection_cut_after_each_kib_of_the_reply(self):
        self.assertGreater(self.cut_each_kib("reply", KIB // 4 if SOAK else KIB), 3 * KIB)


if __name__ == "__main__":
    main()
