foreach(test test_participant test_participant_interrupt test_participant_panic)
  ttrec_unit_test(${test} SOURCES kernel/${test}.c kernel/participant_script.c
    LIBS ttparticipant Threads::Threads)
endforeach()

ttrec_unit_test(test_wire SOURCES kernel/test_wire.c LIBS ttkernel)
