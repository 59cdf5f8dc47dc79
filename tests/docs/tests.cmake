# What the documentation says against what the commands say.
add_test(NAME check_manuals COMMAND bash ${CMAKE_CURRENT_SOURCE_DIR}/docs/check_manuals.sh)
set_tests_properties(check_manuals PROPERTIES LABELS unit SKIP_RETURN_CODE 77 TIMEOUT 60
  ENVIRONMENT "TTREC_TEST_BIN=${CMAKE_RUNTIME_OUTPUT_DIRECTORY};TTREC_TEST_SOURCE=${CMAKE_SOURCE_DIR}")
add_test(NAME check_completion COMMAND bash ${CMAKE_CURRENT_SOURCE_DIR}/docs/check_completion.sh)
set_tests_properties(check_completion PROPERTIES LABELS unit SKIP_RETURN_CODE 77 TIMEOUT 120
  ENVIRONMENT "TTREC_TEST_BIN=${CMAKE_RUNTIME_OUTPUT_DIRECTORY};TTREC_TEST_SOURCE=${CMAKE_SOURCE_DIR}")
