# Tests of the trace file and of ttdump.
add_library(format_sample STATIC format/trace/sample.c format/trace/sample_network.c)
target_link_libraries(format_sample PUBLIC ttrec_options PkgConfig::CMOCKA tttrace)

# format_test(FOLDER NAME): the program FOLDER/test_NAME.c
function(format_test folder name)
  ttrec_unit_test(format_${name} SOURCES format/${folder}/test_${name}.c LIBS format_sample)
endfunction()

format_test(trace round_trip)
format_test(trace artifacts)
target_link_libraries(format_artifacts PRIVATE PkgConfig::NETTLE)
format_test(trace damage)
format_test(trace codec)
format_test(trace network_cost)
format_test(trace compare)
format_test(trace follow)
format_test(trace versions)
format_test(trace writer)
format_test(trace hostile)
format_test(base line)
target_link_libraries(format_line PRIVATE tttext)
foreach(name frame_text record_text)
  format_test(text ${name})
  target_link_libraries(format_${name} PRIVATE tttext)
endforeach()
ttrec_unit_test(format_units SOURCES format/base/test_units.c LIBS ttbase)
ttrec_unit_test(format_frames SOURCES format/text/test_frames.c LIBS tttext)
ttrec_unit_test(format_frame_origin SOURCES format/text/test_frame_origin.c LIBS tttext)
ttrec_unit_test(format_pattern SOURCES format/pattern/test_pattern.c LIBS ttpattern)
ttrec_unit_test(format_terminal_text SOURCES format/base/test_terminal_text.c LIBS ttbase)
ttrec_unit_test(format_pcapng_order SOURCES format/ttdump/test_pcapng_order.c LIBS ttdump_pcapng)
ttrec_unit_test(test_console_compare SOURCES format/text/test_console_compare.c LIBS tttext)

ttrec_unit_test(format_ci SOURCES format/ci/test_ci.c LIBS ttci PkgConfig::XML)
target_compile_definitions(format_ci PRIVATE
  TEST_SCHEMA="${CMAKE_CURRENT_SOURCE_DIR}/format/ci/junit.xsd")
ttrec_unit_test(format_ci_console SOURCES format/ci/test_ci_console.c LIBS ttci)

add_executable(format_make_sample format/trace/make_sample.c)
target_link_libraries(format_make_sample PRIVATE format_sample)
add_executable(format_make_pair format/trace/make_pair.c)
target_link_libraries(format_make_pair PRIVATE format_sample)
add_executable(format_make_long format/trace/make_long.c)
target_link_libraries(format_make_long PRIVATE ttrec_options tttrace)

# format_script_test(NAME SCRIPT...): a script that is given the directory of the programs.
function(format_script_test name)
  add_test(NAME format_${name} COMMAND ${ARGN} ${CMAKE_RUNTIME_OUTPUT_DIRECTORY})
  set_tests_properties(format_${name} PROPERTIES LABELS unit SKIP_RETURN_CODE 77 TIMEOUT 300)
endfunction()
format_script_test(ttdump ${CMAKE_CURRENT_SOURCE_DIR}/format/ttdump/test_ttdump.sh)
format_script_test(reference ${CMAKE_CURRENT_SOURCE_DIR}/format/trace/test_reference.sh)
foreach(name export diff show stat html)
  add_test(NAME format_${name} COMMAND bash ${CMAKE_CURRENT_SOURCE_DIR}/format/ttdump/test_${name}.sh)
  set_tests_properties(format_${name} PROPERTIES LABELS unit SKIP_RETURN_CODE 77 TIMEOUT 300
    ENVIRONMENT "TTREC_TEST_BIN=${CMAKE_RUNTIME_OUTPUT_DIRECTORY};TTREC_TEST_SOURCE=${CMAKE_SOURCE_DIR}")
endforeach()
# A million records in every view; sanitizers take memory of their own.
if(NOT TTREC_SANITIZE)
  add_test(NAME format_views COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/bench/bench_views.py
           ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} 1000000)
  set_tests_properties(format_views PROPERTIES LABELS unit TIMEOUT 300)
endif()
