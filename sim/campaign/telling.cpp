#include "sim/campaign/telling.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "sim/perfetto.h"
#include "sim/report.h"

namespace statefs::sim {
namespace {

std::string write_file(const std::string& path, const std::string& text) {
  std::FILE* const file = std::fopen(path.c_str(), "we");
  const bool is_written = file != nullptr && std::fwrite(text.data(), 1, text.size(), file) == text.size();
  const bool is_closed = file != nullptr && std::fclose(file) == 0;
  return is_written && is_closed ? "" : path + ": " + std::strerror(errno);
}

}  // namespace

std::string write_files(const Telling& telling, const Story& story) {
  std::string problem;
  if (!telling.report_path.empty()) problem = write_file(telling.report_path, render_report(story));
  if (!telling.trace_path.empty() && problem.empty()) problem = write_file(telling.trace_path, render_trace(story));
  return problem;
}

}  // namespace statefs::sim
