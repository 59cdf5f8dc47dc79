foreach(name test_calendar test_calendar_quirks test_calendar_faults)
  ttrec_unit_test(${name} SOURCES recorder/${name}.c recorder/calendar_stage.c LIBS ttcalendar)
endforeach()
ttrec_unit_test(test_calendar_properties SOURCES recorder/test_calendar_properties.c
  recorder/calendar_model.c recorder/calendar_world.c LIBS ttcalendar)
ttrec_unit_test(test_calendar_hostile SOURCES recorder/test_calendar_hostile.c LIBS ttcalendar)
