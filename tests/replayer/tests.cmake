ttrec_unit_test(test_cursor SOURCES replayer/cursor/test_cursor.c replayer/cursor/fake_guest.c
  kernel/vhost/ring_builder.c LIBS ttcursor)
ttrec_unit_test(test_cursor_probe SOURCES replayer/cursor/test_cursor_probe.c replayer/cursor/fake_guest.c
  kernel/vhost/ring_builder.c LIBS ttcursor)
ttrec_unit_test(test_replay_plan SOURCES replayer/plan/test_replay_plan.c LIBS ttreplay_plan)
ttrec_unit_test(test_until SOURCES replayer/cursor/test_until.c replayer/cursor/fake_guest.c
  kernel/vhost/ring_builder.c LIBS ttcursor)
ttrec_unit_test(test_cause SOURCES replayer/report/test_cause.c LIBS ttreplay_report)
