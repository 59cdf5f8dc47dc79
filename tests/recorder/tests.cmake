foreach(name test_calendar test_calendar_quirks test_calendar_faults)
  ttrec_unit_test(${name} SOURCES recorder/${name}.c recorder/calendar_stage.c LIBS ttcalendar)
endforeach()
