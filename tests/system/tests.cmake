# Tests of the real thing: real kernels, real sockets. See lib.sh.

# The guests' init: a static program, without sanitizers, packed into an archive.
add_executable(guest_init system/programs/guest_init.c)
target_compile_definitions(guest_init PRIVATE _GNU_SOURCE)
target_compile_options(guest_init PRIVATE -Wall -Wextra -fno-sanitize=all)
target_link_options(guest_init PRIVATE -static -fno-sanitize=all)
set(guest_archive ${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/guest.cpio)
add_custom_command(OUTPUT ${guest_archive} DEPENDS guest_init
  COMMAND ${CMAKE_COMMAND} -E make_directory guest
  COMMAND ${CMAKE_COMMAND} -E copy $<TARGET_FILE:guest_init> guest/init
  COMMAND cd guest && echo init | cpio --quiet -o -H newc -R 0:0 > ${guest_archive} VERBATIM)
add_custom_target(guest_archive ALL DEPENDS ${guest_archive})

# What reads the time stamp counter and polls, without sanitizers, static and dynamic.
foreach(kind guest_work guest_work_dynamic)
  add_executable(${kind} system/programs/guest_work.c)
  target_compile_definitions(${kind} PRIVATE _GNU_SOURCE)
  target_compile_options(${kind} PRIVATE -Wall -Wextra -O1 -fno-sanitize=all)
  target_link_options(${kind} PRIVATE -fno-sanitize=all)
endforeach()
target_link_options(guest_work PRIVATE -static)
add_executable(guest_patches system/programs/guest_patches.c)
target_link_libraries(guest_patches PRIVATE ttrec_options ttkernel)

add_executable(trace_facts system/programs/trace_facts.c)
target_link_libraries(trace_facts PRIVATE ttrec_options tttrace)
add_executable(control_groups system/programs/control_groups.c)
target_link_libraries(control_groups PRIVATE ttrec_options ttkernel)
add_executable(trace_files system/programs/trace_files.c)
target_link_libraries(trace_files PRIVATE ttrec_options tttrace)
add_executable(rogue_client system/programs/rogue_client.c)
target_link_libraries(rogue_client PRIVATE ttrec_options ttkernel)
add_executable(rogue_kernel system/programs/rogue_kernel.c system/programs/rogue_device.c)
target_compile_definitions(rogue_kernel PRIVATE _GNU_SOURCE)
target_include_directories(rogue_kernel PRIVATE ${CMAKE_SOURCE_DIR})
target_compile_options(rogue_kernel PRIVATE -Wall -Wextra -O1 -fno-sanitize=all)
target_link_options(rogue_kernel PRIVATE -static -fno-sanitize=all)
add_executable(vhost_program system/programs/vhost_program.c system/programs/radio_medium.c)
target_link_libraries(vhost_program PRIVATE ttrec_options ttkernel ttparticipant)
# Preloaded, so without sanitizers.
add_library(fail_call MODULE system/programs/fail_call.c)
set_target_properties(fail_call PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${CMAKE_RUNTIME_OUTPUT_DIRECTORY})
target_compile_definitions(fail_call PRIVATE _GNU_SOURCE)
target_compile_options(fail_call PRIVATE -Wall -Wextra -fno-sanitize=all -fno-builtin)
target_link_options(fail_call PRIVATE -fno-sanitize=all)
add_executable(survivors system/programs/survivors.c)
target_link_libraries(survivors PRIVATE ttrec_options)

# system_test(NAME SCRIPT ARGUMENTS...)
function(system_test name script)
  add_test(NAME system_${name}
           COMMAND bash ${CMAKE_CURRENT_SOURCE_DIR}/system/${script}.sh ${ARGN})
  set_tests_properties(system_${name} PROPERTIES LABELS system SKIP_RETURN_CODE 77 TIMEOUT 1200
    ENVIRONMENT "TTREC_TEST_BIN=${CMAKE_RUNTIME_OUTPUT_DIRECTORY};TTREC_TEST_SOURCE=${CMAKE_SOURCE_DIR}")
endfunction()

foreach(version 5.10 6.1 6.12 7.2)
  system_test(record_replay_${version} record_replay ${version})
  system_test(probe_${version} probe ${version})
  system_test(guest_patches_${version} guest_patches ${version})
  system_test(container_${version} container ${version})
endforeach()
foreach(version 5.10 6.1 6.12 7.2)
  system_test(instructions_${version} instructions ${version})
endforeach()
foreach(script debug rerecord kernel divergence report ci verdict trust sandbox bad_input shortage failing_tests serve stop disturbed outputs progress limits control_groups damage reasons kunit kasan)
  system_test(${script} ${script})
endforeach()
system_test(program program)
system_test(tap tap)
system_test(html html)
system_test(store store)

# Labs: several guests, networks, devices.
foreach(version 5.10 6.1 6.12 7.2)
  system_test(lab_${version} lab ${version})
endforeach()
foreach(version 5.10 6.1 6.12 7.2)
  system_test(share_${version} share ${version})
endforeach()
system_test(lab_bad lab_bad)
system_test(lab_software lab_software)
system_test(explore explore)
system_test(wifi wifi)
system_test(frames frames)
system_test(export_perfetto export_perfetto)
system_test(tutorial tutorial)

# Debian's programs, those that take a few seconds; all: tests/bench/bench_debian.sh.
foreach(program python go node java postgres redis nginx etcd nats frr systemd)
  system_test(debian_${program} debian ${program})
endforeach()
