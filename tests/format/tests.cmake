# Tests of the trace file and of ttdump.
add_library(format_sample STATIC format/sample.c)
target_link_libraries(format_sample PUBLIC ttrec_options PkgConfig::CMOCKA tttrace)

# format_test(NAME): the program test_NAME.c
function(format_test name)
  ttrec_unit_test(format_${name} SOURCES format/test_${name}.c LIBS format_sample)
endfunction()

format_test(round_trip)
