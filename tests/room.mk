EXTRA_DIST += tests/unit/check.hpp
UNIT_LIBS = $(CMOCKA_LIBS)

EXTRA_DIST += \
	tests/e2e/card_bench.py \
	tests/e2e/card_case.py \
	tests/e2e/card_client.py \
	tests/e2e/cardd_fixture.py \
	tests/e2e/cardd_wire.py \
	tests/e2e/crash.py \
	tests/e2e/crash_shim.py \
	tests/e2e/cutting_proxy.py \
	tests/e2e/disclaimer_milter.py \
	tests/e2e/disk.py \
	tests/e2e/handing_back.py \
	tests/e2e/harness.py \
	tests/e2e/hostile_fields.py \
	tests/e2e/leak_case.py \
	tests/e2e/mail_readers.py \
	tests/e2e/test_header_firewall.py \
	tests/e2e/test_card_faults.py \
	tests/e2e/test_card_path.py \
	tests/e2e/test_card_renewal.py \
	tests/e2e/rights_world.py \
	tests/e2e/sasl.py \
	tests/e2e/sealing.py \
	tests/e2e/spellings.py \
	tests/e2e/test_alias.py \
	tests/e2e/test_beside.py \
	tests/e2e/test_bounces.py \
	tests/e2e/test_blocks.py \
	tests/e2e/test_cardd.py \
	tests/e2e/test_cardd_heal.py \
	tests/e2e/test_cardd_module.py \
	tests/e2e/test_cardd_pins.py \
	tests/e2e/test_demailctl_card.py \
	tests/e2e/test_configuration.py \
	tests/e2e/test_crash.py \
	tests/e2e/test_crash_network.py \
	tests/e2e/test_crash_power.py \
	tests/e2e/test_crash_random.py \
	tests/e2e/test_demailctl.py \
	tests/e2e/test_demailctl_history.py \
	tests/e2e/slapd.py \
	tests/e2e/test_directory.py \
	tests/e2e/dns_server.py \
	tests/e2e/doctor.py \
	tests/e2e/domain_case.py \
	tests/e2e/test_doctor.py \
	tests/e2e/test_doctor_postfix.py \
	tests/e2e/test_domain_attack.py \
	tests/e2e/test_evidence.py \
	tests/e2e/test_given_up.py \
	tests/e2e/test_down.py \
	tests/e2e/test_hints.py \
	tests/e2e/test_identity.py \
	tests/e2e/test_key_rotation.py \
	tests/e2e/test_leaks.py \
	tests/e2e/test_leaks_missing.py \
	tests/data/outcomes \
	tests/data/rights \
	tests/e2e/test_instances.py \
	tests/e2e/test_journal_faults.py \
	tests/e2e/test_no_resend.py \
	tests/e2e/test_rebuild.py \
	tests/e2e/test_retention.py \
	tests/e2e/test_outcomes.py \
	tests/e2e/test_options.py \
	tests/e2e/test_path.py \
	tests/e2e/test_preconditions.py \
	tests/e2e/test_refusals.py \
	tests/e2e/test_rights_cases.py \
	tests/e2e/test_sandbox.py \
	tests/e2e/test_selftest.py \
	tests/e2e/test_sendmail.py \
	tests/e2e/test_size.py \
	tests/e2e/test_smuggling.py \
	tests/e2e/test_strange_address.py \
	tests/e2e/test_token.py \
	tests/e2e/postgresql.py \
	tests/e2e/test_two_relays.py \
	tests/e2e/two_hosts.py \
	tests/e2e/ways_in.py \
	tests/e2e/test_uncertain.py \
	tests/e2e/test_virtual_card.py \
	tests/e2e/test_virtual_card_faults.py \
	tests/e2e/test_virtual_card_keys.py \
	tests/e2e/test_virtual_card_tools.py \
	tests/e2e/token_shim.py

include tests/shim/room.mk

# Each point of every matrix, a thousand random kills; tests/fuzz/room.mk has the rest of make soak.
soak: soak-crash
soak-crash: all $(crash_shim)
	failed=0; for test in crash crash_network crash_power crash_random journal_faults; do \
	  CRASH_SOAK=1 SRCDIR=$(abs_top_srcdir) BUILDDIR=$(abs_top_builddir) \
	    $(PYTHON) $(srcdir)/tests/e2e/test_$$test.py || failed=1; \
	done; exit $$failed
.PHONY: soak-crash
include tests/bench/room.mk
