#include "tests/os/temp_dir.h"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/check.h"

namespace statefs::test {

TempDir::TempDir() : root_((std::filesystem::temp_directory_path() / "statefs_test_XXXXXX").string()) {
  STATEFS_CHECK(::mkdtemp(root_.data()) != nullptr);
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(root_, ignored);
}

std::string TempDir::write(std::string_view name, std::string_view content, unsigned mode) const {
  const std::string file = path(name);
  std::ofstream(file, std::ios::binary) << content;
  STATEFS_CHECK(::chmod(file.c_str(), mode) == 0);
  return file;
}

std::string read_file(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}

}  // namespace statefs::test
