# Compiles for another machine with Debian's cross compiler, and with libraries that scripts/qemu/fetch-packages unpacked. Included by
# cross-arm64.cmake and cross-s390x.cmake, which say for which. What is built runs here under qemu-user.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_CXX_COMPILER ${cross_triplet}-g++)
set(CMAKE_LIBRARY_ARCHITECTURE ${cross_triplet})
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-${CMAKE_SYSTEM_PROCESSOR}-static ${cross_emulator_options})
get_filename_component(cross_libraries ${CMAKE_CURRENT_LIST_DIR}/../../build/qemu/libraries/${cross_arch} ABSOLUTE)
set(CMAKE_FIND_ROOT_PATH ${cross_libraries}/usr)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
# Where Debian keeps headers that differ between machines.
set(CMAKE_CXX_FLAGS_INIT "-isystem ${cross_libraries}/usr/include/${cross_triplet}")
