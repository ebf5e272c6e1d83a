# arm64, little-endian: see cross.cmake.
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(cross_triplet aarch64-linux-gnu)
set(cross_arch arm64)
set(cross_emulator_options -cpu cortex-a57)  # without pointer authentication, which costs the emulator ten times the rest
include(${CMAKE_CURRENT_LIST_DIR}/cross.cmake)
