# What the documentation and the shells say against what the commands say.
add_test(NAME check_commands COMMAND bash ${CMAKE_CURRENT_SOURCE_DIR}/docs/check_commands.sh)
set_tests_properties(check_commands PROPERTIES LABELS unit SKIP_RETURN_CODE 77 TIMEOUT 180
  ENVIRONMENT "TTREC_TEST_BIN=${CMAKE_RUNTIME_OUTPUT_DIRECTORY};TTREC_TEST_SOURCE=${CMAKE_SOURCE_DIR}")

# The libraries, as installed, in the programs of others.
add_test(NAME check_libraries COMMAND bash ${CMAKE_CURRENT_SOURCE_DIR}/docs/check_libraries.sh)
set_tests_properties(check_libraries PROPERTIES LABELS system SKIP_RETURN_CODE 77 TIMEOUT 180
  ENVIRONMENT "TTREC_TEST_BIN=${CMAKE_RUNTIME_OUTPUT_DIRECTORY};TTREC_TEST_SOURCE=${CMAKE_SOURCE_DIR}")

# The folders of the source against what their README.md says.
add_test(NAME check_folders COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/docs/check_folders.py
         ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
set_tests_properties(check_folders PROPERTIES LABELS unit TIMEOUT 60)
