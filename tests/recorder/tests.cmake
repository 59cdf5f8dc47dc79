foreach(name test_calendar test_calendar_quirks test_calendar_faults test_calendar_device_turn)
  ttrec_unit_test(${name} SOURCES recorder/calendar/${name}.c recorder/calendar/calendar_stage.c LIBS ttcalendar)
endforeach()
ttrec_unit_test(test_calendar_properties SOURCES recorder/calendar/test_calendar_properties.c
  recorder/calendar/calendar_model.c recorder/calendar/calendar_world.c recorder/calendar/calendar_partitions.c LIBS ttcalendar)
ttrec_unit_test(test_calendar_hostile SOURCES recorder/calendar/test_calendar_hostile.c LIBS ttcalendar)

# Side by side: many strands against a sort. The writer is the test's.
ttrec_unit_test(test_session_merge SOURCES recorder/session/test_session_merge.c
  ../recorder/session/journal/session_merge.c)
# A session: the order of events, and what a turn makes of scripts of them.
ttrec_unit_test(test_session_inbox SOURCES recorder/session/test_session_inbox.c LIBS ttsession)
ttrec_unit_test(test_session_sources SOURCES recorder/session/test_session_sources.c LIBS ttsession)
ttrec_unit_test(test_session_turn SOURCES recorder/session/test_session_turn.c recorder/session/session_stage.c
  LIBS ttsession)
ttrec_unit_test(test_watch SOURCES recorder/watch/test_watch.c LIBS ttwatch)
ttrec_unit_test(test_final_output SOURCES recorder/watch/test_final_output.c LIBS ttwatch)

# The doctor: what it makes of a host, and what it says under restrictions that are really there.
ttrec_unit_test(test_doctor SOURCES recorder/doctor/test_doctor.c LIBS ttdoctor)
add_executable(restrict recorder/doctor/restrict.c)
target_link_libraries(restrict PRIVATE ttrec_options PkgConfig::SECCOMP PkgConfig::JANSSON)
add_test(NAME system_doctor COMMAND bash ${CMAKE_CURRENT_SOURCE_DIR}/recorder/doctor/test_doctor.sh)
set_tests_properties(system_doctor PROPERTIES LABELS system SKIP_RETURN_CODE 77 TIMEOUT 600
  ENVIRONMENT "TTREC_TEST_BIN=${CMAKE_RUNTIME_OUTPUT_DIRECTORY};TTREC_TEST_SOURCE=${CMAKE_SOURCE_DIR}")

# Networks: one case at a time, and what holds of all of them.
foreach(name test_network test_network_fault test_network_properties)
  ttrec_unit_test(${name} SOURCES recorder/network/${name}.c recorder/network/network_stage.c LIBS ttnetwork m)
endforeach()

# The tree of a share, and requests to it.
foreach(name test_tree test_share_session)
  ttrec_unit_test(${name} SOURCES recorder/share/${name}.c LIBS ttshare)
endforeach()

# Devices, with a driver that is the test.
foreach(name test_device_console test_device_fs test_device_hostile test_device_rng)
  ttrec_unit_test(${name} SOURCES recorder/device/${name}.c recorder/device/device_stage.c
    kernel/vhost/ring_builder.c LIBS ttnetwork)
endforeach()
ttrec_unit_test(test_device_net SOURCES recorder/network/test_device_net.c recorder/device/device_stage.c
  kernel/vhost/ring_builder.c LIBS ttnetwork)
foreach(name test_device_disk test_device_disk_contents)
  ttrec_unit_test(${name} SOURCES recorder/device/${name}.c recorder/device/device_stage.c recorder/device/disk_driver.c
    kernel/vhost/ring_builder.c LIBS ttnetwork)
endforeach()
ttrec_unit_test(test_disk_hash SOURCES recorder/device/test_disk_hash.c LIBS ttdevice)

# Lab files. Those that do not come through whole: mutations, and every allocation failing once.
foreach(name test_lab test_lab_errors test_lab_hostile)
  ttrec_unit_test(${name} SOURCES recorder/lab/${name}.c recorder/lab/lab_sample.c LIBS ttlab m)
  target_compile_definitions(${name} PRIVATE TTREC_SOURCE="${CMAKE_SOURCE_DIR}")
endforeach()
foreach(function malloc calloc realloc strdup strndup asprintf vasprintf open_memstream)
  target_link_options(test_lab_hostile PRIVATE -Wl,--wrap=${function})
endforeach()
ttrec_unit_test(test_lab_rewrite SOURCES recorder/lab/test_lab_rewrite.c LIBS ttlab)

# How a recording was started, in its trace.
ttrec_unit_test(test_run_settings SOURCES recorder/run/test_run_settings.c LIBS ttrun)

# Exploration: seeds and shards, kinds of failure, what a campaign knows.
foreach(name test_seeds test_kind test_campaign_state)
  ttrec_unit_test(${name} SOURCES recorder/explore/${name}.c LIBS ttexplore)
endforeach()
