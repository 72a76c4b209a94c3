"""A part is missing: no spelling of a De-Mail address leaves to the Internet all the same. And the
tables are what holds them: without, the test sees the leaks."""

import os

from harness import main
from leak_case import LeakCase

# By these a spelling meets the transport maps alone.
UNSEEN = ("smtpd_without_milter", "alias", "virtual_alias", "recipient_bcc", "filter_then_alias")


class Missing(LeakCase):
    step = 12

    def setUp(self):
        super().setUp()
        self.assertEqual(self.box.postfix.queue(), [])
        self.addCleanup(self.box.postfix.wait_empty, 60)
        self.addCleanup(self.box.postfix.delete_all)

    def away(self, path):
        """The file, until the test is over; Postfix knows at once."""
        os.rename(path, path + ".away")
        self.addCleanup(self.box.postfix.reload)
        self.addCleanup(os.rename, path + ".away", path)
        self.box.postfix.reload()

    def test_the_milter_is_missing(self):
        self.box.milter.stop()
        self.addCleanup(self.box.daemons.start_milter)
        self.through()
        self.no_leak()

    def test_the_relay_is_missing(self):
        self.box.relay.stop()
        self.addCleanup(self.box.daemons.start_relay)
        self.through()
        self.no_leak()

    def test_the_index_of_domains_is_missing(self):
        self.away(self.box.daemons.domains + ".db")
        self.through()
        self.assertEqual(self.left(), [])
        self.no_leak()

    def test_the_table_of_strange_addresses_is_missing(self):
        self.away(os.path.join(self.box.postfix.etc, "strange-address"))
        self.through()
        self.assertEqual(self.left(), [])
        self.no_leak()

    def test_the_table_of_hidden_ways_is_missing(self):
        self.away(self.box.daemons.domains + ".hidden")
        self.through()
        self.assertEqual(self.left(), [])
        self.no_leak()

    def test_without_the_tables_in_main_cf_the_test_sees_the_leaks(self):
        maps = self.box.postfix.settings["transport_maps"]
        self.box.postfix.configure({"transport_maps": maps[maps.index("pipemap:"):]})
        self.addCleanup(self.box.postfix.reload)
        self.addCleanup(self.box.postfix.configure, {"transport_maps": maps})
        self.box.postfix.reload()
        self.through(UNSEEN)
        self.assertGreater(len(self.leaks()), 140)


if __name__ == "__main__":
    main()
