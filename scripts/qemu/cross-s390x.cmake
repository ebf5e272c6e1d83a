# s390x, big-endian: see cross.cmake.
set(CMAKE_SYSTEM_PROCESSOR s390x)
set(cross_triplet s390x-linux-gnu)
set(cross_arch s390x)
include(${CMAKE_CURRENT_LIST_DIR}/cross.cmake)
