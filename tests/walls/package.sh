#!/bin/bash
# usage: package.sh CMAKE BUILD_DIR CXX
# Installs what was built, then builds and runs a consumer that knows nothing but find_package(statefs): it includes
# every installed header and links every installed library.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$1" --install "$2" --prefix "$work/prefix" >/dev/null
mkdir "$work/consumer"
targets=$(find "$work/prefix" -name statefsTargets.cmake)
libraries=$(sed -n 's/^add_library(\(statefs::[a-z]*\) .*/\1/p' "$targets" | tr '\n' ' ')
case $libraries in *statefs::core*) ;; *) echo "package: no statefs::core among '$libraries'"; exit 1 ;; esac
cat >"$work/consumer/CMakeLists.txt" <<TEXT
cmake_minimum_required(VERSION 3.25)
project(consumer LANGUAGES CXX)
find_package(statefs 0.1 REQUIRED)
add_executable(consumer main.cpp)
target_link_libraries(consumer PRIVATE $libraries)
TEXT
headers=$(cd "$work/prefix/include/statefs" && find . -name '*.h' | sed 's|^\./||' | LC_ALL=C sort)
[ "$(wc -l <<<"$headers")" -ge 17 ] || { echo "package: too few headers: $headers"; exit 1; }
{
  sed 's|.*|#include <&>|' <<<"$headers"
  echo 'int main() { STATEFS_CHECK(statefs::limits::key_size_max == 255); return 0; }'
} >"$work/consumer/main.cpp"
"$1" -S "$work/consumer" -B "$work/build" -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_CXX_COMPILER="$3" >"$work/log" 2>&1 &&
  "$1" --build "$work/build" >>"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
"$work/build/consumer"
