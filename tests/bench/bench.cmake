# Not tests: what tests/bench/run.sh measures. Built on demand.
add_executable(bench-format EXCLUDE_FROM_ALL bench/bench_format.c)
target_link_libraries(bench-format PRIVATE ttrec_options tttrace PkgConfig::ZSTD)
add_executable(bench-scheduler EXCLUDE_FROM_ALL bench/bench_scheduler.c)
target_link_libraries(bench-scheduler PRIVATE ttrec_options ttkernel)
