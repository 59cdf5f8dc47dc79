# Tests of the trace file and of ttdump.
add_library(format_sample STATIC format/sample.c)
target_link_libraries(format_sample PUBLIC ttrec_options PkgConfig::CMOCKA tttrace)

# format_test(NAME): the program test_NAME.c
function(format_test name)
  ttrec_unit_test(format_${name} SOURCES format/test_${name}.c LIBS format_sample)
endfunction()

format_test(round_trip)
format_test(artifacts)
target_link_libraries(format_artifacts PRIVATE PkgConfig::CRYPTO)
format_test(damage)

# Not a test: bench-format prints what a message costs, against zstd on the same messages.
add_executable(bench-format EXCLUDE_FROM_ALL bench/bench_format.c)
target_link_libraries(bench-format PRIVATE ttrec_options tttrace PkgConfig::ZSTD)
