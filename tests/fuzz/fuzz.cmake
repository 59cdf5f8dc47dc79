# Fuzz targets: fuzz_NAME.c is one, its corpus is corpus/NAME, its words (if it has any) NAME.dict.
# tests/fuzz/run.sh runs them.
add_custom_target(fuzzers)

# fuzz_target(NAME [SOURCES ...] [LIBS ...])
function(fuzz_target name)
  cmake_parse_arguments(TARGET "" "" "SOURCES;LIBS" ${ARGN})
  add_executable(fuzz_${name} EXCLUDE_FROM_ALL fuzz/fuzz_${name}.c fuzz/fuzz.c ${TARGET_SOURCES})
  target_link_libraries(fuzz_${name} PRIVATE ttrec_options ${TARGET_LIBS})
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  set_target_properties(fuzz_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
  add_dependencies(fuzzers fuzz_${name})
endfunction()

# Traces, changed in their chunks and in their records with all hashes right.
add_library(fuzz_traces STATIC EXCLUDE_FROM_ALL fuzz/trace/trace_input.c fuzz/trace/trace_mutate.c
  fuzz/trace/trace_mutate_chunk.c fuzz/trace/trace_mutate_record.c)
target_link_libraries(fuzz_traces PUBLIC ttrec_options tttrace PkgConfig::ZSTD PkgConfig::XXHASH)
foreach(name trace_chunks trace_records)
  fuzz_target(${name} SOURCES fuzz/trace/trace_read.c LIBS fuzz_traces)
endforeach()
fuzz_target(compare LIBS fuzz_traces)
fuzz_target(salvage LIBS fuzz_traces)
fuzz_target(ttdump LIBS fuzz_traces ttverbs)

# What makes the corpus, of the samples of the unit tests.
add_dependencies(fuzzers format_make_sample)

# Of the recorder and the kernel's side.
fuzz_target(lab LIBS ttlab)
fuzz_target(elf LIBS ttkernel)
fuzz_target(console LIBS ttdevice ttwatch)
fuzz_target(share LIBS ttshare)
fuzz_target(calendar LIBS ttcalendar)
fuzz_target(vhost SOURCES kernel/vhost/ring_builder.c kernel/vhost/vhost_peer.c LIBS ttkernel PkgConfig::CMOCKA)
# Of its own, with a call before each load: see fuzz_vring.c.
add_library(fuzz_vring_code OBJECT EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/kernel/vhost/vring.c)
target_link_libraries(fuzz_vring_code PRIVATE ttrec_options)
target_compile_options(fuzz_vring_code PRIVATE -fsanitize-coverage=trace-loads)
fuzz_target(vring SOURCES kernel/vhost/ring_builder.c $<TARGET_OBJECTS:fuzz_vring_code>
  LIBS ttkernel PkgConfig::CMOCKA)
fuzz_target(cursor SOURCES replayer/cursor/fake_guest.c kernel/vhost/ring_builder.c LIBS ttcursor PkgConfig::CMOCKA)
