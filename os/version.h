// VERSION: what `--version` of the programs prints; the same as the project's in CMakeLists.txt.
#pragma once

namespace statefs {

inline constexpr const char* program_version = "0.1.0";

}  // namespace statefs
