// TEMP DIR: a folder of a test's own under the system's temporary folder, gone with everything in it when the test ends.
#pragma once

#include <string>
#include <string_view>

namespace statefs::test {

class TempDir {
 public:
  TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir();
  [[nodiscard]] std::string path(std::string_view name) const { return root_ + "/" + std::string(name); }
  // Writes a file with exactly this mode, and returns its path.
  std::string write(std::string_view name, std::string_view content, unsigned mode = 0600) const;

 private:
  std::string root_;
};

[[nodiscard]] std::string read_file(const std::string& path);

}  // namespace statefs::test
