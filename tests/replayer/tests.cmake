ttrec_unit_test(test_cursor SOURCES replayer/test_cursor.c replayer/fake_guest.c
  kernel/ring_builder.c LIBS ttcursor)
ttrec_unit_test(test_cursor_probe SOURCES replayer/test_cursor_probe.c replayer/fake_guest.c
  kernel/ring_builder.c LIBS ttcursor)
ttrec_unit_test(test_replay_plan SOURCES replayer/test_replay_plan.c LIBS ttreplay_plan)
ttrec_unit_test(test_until SOURCES replayer/test_until.c replayer/fake_guest.c
  kernel/ring_builder.c LIBS ttcursor)
ttrec_unit_test(test_cause SOURCES replayer/test_cause.c LIBS ttreplay_report)
