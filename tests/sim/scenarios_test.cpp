#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>

#include "sim/run.h"

namespace statefs::sim {
namespace {

std::string text_of(const std::filesystem::path& path) {
  std::string text;
  std::FILE* const file = std::fopen(path.c_str(), "r");
  if (file == nullptr) return text;
  for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file)) text += static_cast<char>(c);
  std::fclose(file);
  return text;
}

// Each showed a bug that is fixed; its first line says which.
TEST(Scenarios, AllPassAndAreShort) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("tests/scenarios")) {
    if (entry.path().extension() != ".scenario") continue;
    ++count;
    const std::string text = text_of(entry.path());
    EXPECT_EQ(text.rfind("# ", 0), 0u) << entry.path();
    EXPECT_LE(std::count(text.begin(), text.end(), '\n'), 30) << entry.path();
    const auto plan = parse_plan(text);
    ASSERT_TRUE(plan.ok()) << entry.path() << ": " << plan.error();
    const RunReport report = run(plan.value());
    EXPECT_TRUE(report.ok()) << entry.path() << ": " << verdict_line(plan.value().seed, report);
  }
  EXPECT_GT(count, 0u);
}

}  // namespace
}  // namespace statefs::sim
