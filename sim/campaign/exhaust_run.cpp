#include "sim/campaign/exhaust_run.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "sim/campaign/campaign.h"
#include "sim/campaign/child.h"

namespace statefs::sim {
namespace {

// Where a process says what it runs, in memory that outlives it.
struct Place {
  std::uint64_t order = 0;
  std::size_t size = 0;
  std::array<char, 8 * 1024> scenario;
};

class Board {
 public:
  explicit Board(std::uint32_t count) : size_(count * sizeof(Place)) {
    void* const at = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (at != MAP_FAILED) places_ = static_cast<Place*>(at);
  }
  ~Board() {
    if (places_ != nullptr) ::munmap(places_, size_);
  }
  Board(const Board&) = delete;
  Board& operator=(const Board&) = delete;
  [[nodiscard]] bool valid() const { return places_ != nullptr; }

  void write(std::uint32_t part, std::uint64_t order, std::string_view scenario) {
    Place& place = places_[part];
    place.order = order;
    place.size = std::min(scenario.size(), place.scenario.size());
    std::memcpy(place.scenario.data(), scenario.data(), place.size);
  }
  [[nodiscard]] std::uint64_t order(std::uint32_t part) const { return places_[part].order; }
  [[nodiscard]] std::string scenario(std::uint32_t part) const { return {places_[part].scenario.data(), places_[part].size}; }

 private:
  std::size_t size_;
  Place* places_ = nullptr;
};

void encode(const ExhaustReport& report, Bytes& out) {
  Writer writer(out);
  const auto text = [&writer](std::string_view from) {
    writer.u32(static_cast<std::uint32_t>(from.size()));
    writer.bytes(as_bytes(from));
  };
  writer.u64(report.schedules);
  writer.u64(report.states.size());
  for (const std::uint64_t state : report.states) writer.u64(state);
  writer.u8(report.failures.empty() ? 0 : 1);
  if (report.failures.empty()) return;
  const ExhaustFailure& failure = report.failures.front();
  writer.u64(failure.order);
  for (const std::string* each : {&failure.scenario, &failure.check, &failure.what}) text(*each);
}

// False where it was not written to its end.
bool decode(ByteView bytes, ExhaustReport& report) {
  Reader reader(bytes);
  report.schedules = reader.u64();
  for (std::uint64_t left = reader.u64(); left > 0 && reader.ok(); --left) report.states.insert(reader.u64());
  if (reader.u8() != 0) {
    ExhaustFailure& failure = report.failures.emplace_back();
    failure.order = reader.u64();
    for (std::string* each : {&failure.scenario, &failure.check, &failure.what}) {
      const ByteView text = reader.take(reader.u32());
      each->assign(text.begin(), text.end());
    }
  }
  return reader.at_end();
}

Child start(const ExhaustScript& script, const ExhaustRunOptions& options, std::uint32_t part, Board& board) {
  const auto work = [&script, &options, part, &board](int, int answers) {
    ExhaustOptions mine;
    mine.faults_max = options.faults_max;
    mine.part = part;
    mine.part_count = options.jobs;
    mine.lie = options.lie;
    mine.before_each = [&](const Plan& plan, std::uint64_t order) {
      board.write(part, order, print(plan));
      limit_cpu_seconds(options.cpu_seconds_per_schedule);
    };
    Bytes answer;
    encode(exhaust(script, mine), answer);
    if (!write_all(answers, answer)) return EXIT_FAILURE;
    std::exit(EXIT_SUCCESS);  // as a program ends, so that a sanitizer that looks for leaks then is heard
  };
  return Child(work, Child::Streams::inherited);
}

// Adds what one process found to what all did; false where something outside of the program ended it.
bool collect(Child& child, std::uint32_t part, const Board& board, ExhaustReport& all, std::string& problem) {
  Bytes answer;
  while (read_some(child.answers(), answer)) {
  }
  const ChildEnd end = child.wait();
  ExhaustReport report;
  const bool whole = decode(answer, report);
  if (!whole || end.status != EXIT_SUCCESS) {
    problem = end.text;
    if (end.outside) return false;
    report.failures = {{board.order(part), board.scenario(part), std::string(crash_check), end.text}};
  }
  all.schedules += report.schedules;
  all.states.merge(report.states);
  all.failures.insert(all.failures.end(), report.failures.begin(), report.failures.end());
  return true;
}

int tell(const ExhaustScript& script, const ExhaustRunOptions& options, const ExhaustReport& report, std::FILE* out) {
  const auto& failures = report.failures;
  const auto first = std::min_element(failures.begin(), failures.end(), [](const auto& a, const auto& b) { return a.order < b.order; });
  std::string check = failures.empty() ? "" : first->check;
  if (!failures.empty()) {
    std::fprintf(out, "%s%s: %s\n", first->scenario.c_str(), check.c_str(), first->what.c_str());
  } else if (options.faults_max == exhaust_faults_max && report.schedules < schedules_min) {
    if (!script.why_few.empty()) {
      std::fprintf(out, "fewer than %d schedules: %s\n", static_cast<int>(schedules_min), std::string(script.why_few).c_str());
    } else {
      check = "schedules";
      std::fprintf(out, "schedules: fewer than %d, and the script does not say why\n", static_cast<int>(schedules_min));
    }
  }
  std::fprintf(out, "exhaust=%s faults=%u schedules=%llu states=%zu verdict=%s%s\n", std::string(script.name).c_str(), options.faults_max,
               static_cast<unsigned long long>(report.schedules), report.states.size(), check.empty() ? "ok" : "failed:", check.c_str());
  return check.empty() ? all_good : bug_found;
}

}  // namespace

int run_exhaust(const ExhaustScript& script, const ExhaustRunOptions& options, std::FILE* out, std::FILE* err) {
  Board board(options.jobs);
  std::vector<Child> children;
  std::string problem;
  if (!board.valid()) problem = std::strerror(errno);
  for (std::uint32_t part = 0; problem.empty() && part < options.jobs; ++part) {
    children.push_back(start(script, options, part, board));
    if (!children.back().valid()) problem = std::strerror(errno);
  }
  ExhaustReport report;
  bool good = problem.empty();
  for (std::uint32_t part = 0; good && part < options.jobs; ++part) good = collect(children[part], part, board, report, problem);
  if (!good) {
    std::fprintf(err, "statefs-sim: exhaust: %s\n", problem.c_str());
    return bad_machine;
  }
  return tell(script, options, report, out);
}

}  // namespace statefs::sim
