foreach(test test_participant test_participant_interrupt test_participant_panic)
  ttrec_unit_test(${test} SOURCES kernel/participant/${test}.c kernel/participant/participant_script.c
    LIBS ttparticipant Threads::Threads)
endforeach()

ttrec_unit_test(test_wire SOURCES kernel/wire/test_wire.c LIBS ttwire)

# Vrings and vhost-user. ring_builder.c is the driver's side, for tests of devices too.
ttrec_unit_test(test_guard SOURCES kernel/host/test_guard.c kernel/vhost/ring_builder.c
  LIBS ttvhost ttmemory)
foreach(test test_vring test_vring_hostile test_vring_properties)
  ttrec_unit_test(${test} SOURCES kernel/vhost/${test}.c kernel/vhost/ring_builder.c LIBS ttvhost)
endforeach()
foreach(test test_vhost test_vhost_setup)
  ttrec_unit_test(${test} SOURCES kernel/vhost/${test}.c kernel/vhost/ring_builder.c kernel/vhost/vhost_peer.c
    LIBS ttvhost Threads::Threads)
endforeach()
ttrec_unit_test(test_mapping SOURCES kernel/host/test_mapping.c LIBS tthost)
ttrec_unit_test(test_entropy SOURCES kernel/sandbox/test_entropy.c LIBS ttsandbox)
ttrec_unit_test(test_memory SOURCES kernel/memory/test_memory.c LIBS ttmemory)
ttrec_unit_test(test_cpu SOURCES kernel/host/test_cpu.c LIBS tthost)
ttrec_unit_test(test_xstate SOURCES kernel/host/test_xstate.c LIBS tthost)
ttrec_unit_test(test_instruction SOURCES kernel/instruction/test_instruction.c LIBS ttinstruction)
ttrec_unit_test(test_guest_arguments SOURCES kernel/guest/test_guest_arguments.c LIBS ttguest)
ttrec_unit_test(test_guest_patches SOURCES kernel/guest/test_guest_patches.c LIBS ttguest)
ttrec_unit_test(test_guest_shortage SOURCES kernel/guest/test_guest_shortage.c LIBS ttguest)
ttrec_unit_test(test_guest_trace SOURCES kernel/guest/test_guest_trace.c LIBS ttguest)

ttrec_unit_test(test_loader_plan SOURCES kernel/loader/test_loader_plan.c LIBS ttloader)

# Sandboxes, with a program in them: a static one, and one with a dynamic loader.
foreach(visitor sandbox_visitor sandbox_visitor_dynamic)
  add_executable(${visitor} kernel/sandbox/sandbox_visitor.c)
  target_compile_definitions(${visitor} PRIVATE _GNU_SOURCE)
  target_compile_options(${visitor} PRIVATE -Wall -Wextra -fno-sanitize=all)
endforeach()
target_link_options(sandbox_visitor PRIVATE -static -fno-sanitize=all)
target_link_options(sandbox_visitor_dynamic PRIVATE -pie -fno-sanitize=all)
add_executable(test_sandbox kernel/sandbox/test_sandbox.c)
target_link_libraries(test_sandbox PRIVATE ttrec_options PkgConfig::CMOCKA ttkernel)
add_test(NAME test_sandbox COMMAND test_sandbox $<TARGET_FILE:sandbox_visitor>
         $<TARGET_FILE:sandbox_visitor_dynamic>)
# Where the host chooses other addresses for each process, as in a container.
add_test(NAME test_sandbox_randomised COMMAND restrict --refuse personality $<TARGET_FILE:test_sandbox>
         $<TARGET_FILE:sandbox_visitor> $<TARGET_FILE:sandbox_visitor_dynamic>)
set_tests_properties(test_sandbox test_sandbox_randomised PROPERTIES LABELS unit TIMEOUT 300)

# A hostile one.
add_executable(sandbox_intruder kernel/sandbox/sandbox_intruder.c)
target_compile_definitions(sandbox_intruder PRIVATE _GNU_SOURCE)
target_compile_options(sandbox_intruder PRIVATE -Wall -Wextra -fno-sanitize=all)
target_link_options(sandbox_intruder PRIVATE -static -fno-sanitize=all)
add_executable(test_sandbox_intruder kernel/sandbox/test_sandbox_intruder.c)
target_link_libraries(test_sandbox_intruder PRIVATE ttrec_options PkgConfig::CMOCKA PkgConfig::SECCOMP ttkernel)
add_test(NAME test_sandbox_intruder COMMAND test_sandbox_intruder $<TARGET_FILE:sandbox_intruder>
         ${CMAKE_CURRENT_SOURCE_DIR}/kernel/sandbox/sandbox_reach.expected)
set_tests_properties(test_sandbox_intruder PROPERTIES LABELS unit TIMEOUT 300)

# A participant against a real guest. The guest's init is a static program, without sanitizers.
add_executable(conformance_init system/conformance/conformance_init.c)
target_include_directories(conformance_init PRIVATE ${CMAKE_SOURCE_DIR})
target_compile_definitions(conformance_init PRIVATE _GNU_SOURCE)
target_compile_options(conformance_init PRIVATE -Wall -Wextra -fno-sanitize=all)
target_link_options(conformance_init PRIVATE -static -fno-sanitize=all)
add_executable(conformance system/conformance/conformance.c system/conformance/conformance_archive.c
               system/conformance/conformance_exchange.c system/conformance/conformance_participant.c)
target_link_libraries(conformance PRIVATE ttrec_options ttparticipant ttcalendar)
foreach(version 5.10 6.1 6.12 7.2)
  add_test(NAME conformance_${version} COMMAND conformance $<TARGET_FILE:conformance_init>
           ${CMAKE_SOURCE_DIR}/kernel/uml/build-uml.sh ${version})
  set_tests_properties(conformance_${version} PROPERTIES LABELS system SKIP_RETURN_CODE 77
                       TIMEOUT 3600)
endforeach()

include(kernel/probe/probe.cmake)
