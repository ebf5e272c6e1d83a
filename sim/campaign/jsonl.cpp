#include "sim/campaign/jsonl.h"

namespace statefs::sim {
namespace {

constexpr std::int64_t ns_per_ms = 1'000'000;

std::string quoted(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (byte < 0x20 || byte > 0x7e || c == '"' || c == '\\') {
      out.append("\\u00").append(1, digits[byte >> 4]).append(1, digits[byte & 15]);
    } else {
      out += c;
    }
  }
  return out + '"';
}

// One object, whose members are given one after the other.
class Object {
 public:
  Object& member(std::string_view name, const std::string& json) {
    text_.append(text_.size() == 1 ? "" : ",").append(quoted(name)).append(1, ':').append(json);
    return *this;
  }
  Object& member(std::string_view name, std::uint64_t number) { return member(name, std::to_string(number)); }
  Object& text(std::string_view name, std::string_view value) { return member(name, quoted(value)); }
  [[nodiscard]] std::string close() const { return text_ + '}'; }

 private:
  std::string text_ = "{";
};

std::string object_of(const std::vector<NamedCount>& counts) {
  Object object;
  for (const NamedCount& each : counts) object.member(each.name, each.count);
  return object.close();
}

std::string object_of(const Summary::Counts& counts) {
  Object object;
  for (const auto& [name, count] : counts) object.member(name, count);
  return object.close();
}

template <typename List, typename ToText>
std::string array_of(const List& list, const ToText& to_text) {
  std::string out = "[";
  for (const auto& each : list) out.append(out.size() == 1 ? "" : ",").append(quoted(to_text(each)));
  return out + ']';
}

}  // namespace

std::string json_of(const SeedResult& result, bool with_marks) {
  Object judged, failures;
  for (const CheckCount& each : result.checks) {
    if (each.name != crash_check) judged.member(each.name, each.judged);
    if (!each.failure.empty()) failures.text(each.name, each.failure);
  }
  Object line;
  line.text("seed", std::to_string(result.seed)).text("digest", hex16(result.digest)).member("nodes", result.nodes);
  line.member("operations", result.operations).member("reconnects", result.reconnects);
  line.member("simulated_ms", static_cast<std::uint64_t>(result.simulated_ns / ns_per_ms));
  line.text("verdict", result.ok() ? "ok" : "failed").text("failed_check", result.failed_check());
  line.member("failures", failures.close()).member("judged", judged.close()).member("applied", object_of(result.faults));
  if (with_marks) line.member("marks", object_of(result.marks));
  return line.close();
}

std::string json_of(const Summary& summary, bool with_marks) {
  Object median;
  median.member("nodes", summary.median(Summary::Figure::nodes)).member("operations", summary.median(Summary::Figure::operations));
  median.member("reconnects", summary.median(Summary::Figure::reconnects));
  const std::vector<std::string> shortfalls = summary.shortfalls(with_marks);
  const bool good = summary.failures() == 0 && shortfalls.empty();
  Object line;
  line.member("summary", std::string("true")).member("seeds", summary.seeds()).member("failed", summary.failures());
  line.member("crashed", summary.crashes()).text("verdict", good ? "ok" : "failed");
  line.member("failed_seeds", array_of(summary.failed_seeds(), [](std::uint64_t seed) { return std::to_string(seed); }));
  line.member("shortfalls", array_of(shortfalls, [](const std::string& each) { return each; }));
  line.member("median", median.close()).member("judged", object_of(summary.judged())).member("applied", object_of(summary.applied()));
  if (with_marks) line.member("marks", object_of(summary.marks()));
  return line.close();
}

}  // namespace statefs::sim
