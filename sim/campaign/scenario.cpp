#include "sim/campaign/scenario.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace statefs::sim {

Result<Plan, std::string> read_scenario(const std::string& path) {
  std::FILE* const file = std::fopen(path.c_str(), "re");
  if (file == nullptr) return path + ": " + std::strerror(errno);
  std::string text;
  char buffer[4096];
  while (const std::size_t size = std::fread(buffer, 1, sizeof buffer, file)) text.append(buffer, size);
  const bool is_read = std::ferror(file) == 0;
  std::fclose(file);
  if (!is_read) return path + ": cannot be read";
  Result<Plan, std::string> plan = parse_plan(text);
  if (!plan.ok()) return path + ": " + plan.error();
  return plan;
}

std::string scenario_text(const Plan& before, const Minimized& after, std::string_view check, std::string_view replay) {
  std::string text = "# Fails by the check `" + std::string(check) + "`. Minimised from seed " + std::to_string(before.seed) + " in " +
                     std::to_string(after.runs) + " runs" + (after.bounded ? ", which were all it had" : "") + ".\n";
  text += "# before: " + size_line(before) + "\n# after:  " + size_line(after.plan) + "\n# replay: " + std::string(replay) + "\n";
  return text + print(after.plan);
}

std::string write_file(const std::string& path, std::string_view text) {
  std::FILE* const file = std::fopen(path.c_str(), "we");
  const bool is_written = file != nullptr && std::fwrite(text.data(), 1, text.size(), file) == text.size();
  const bool is_closed = file != nullptr && std::fclose(file) == 0;
  return is_written && is_closed ? "" : path + ": " + std::strerror(errno);
}

}  // namespace statefs::sim
