#include "sim/campaign/seed_result.h"

namespace statefs::sim {
namespace {

constexpr std::int64_t ns_per_ms = 1'000'000;

void put(Writer& writer, std::string_view text) {
  writer.u32(static_cast<std::uint32_t>(text.size()));
  writer.bytes(as_bytes(text));
}

std::string take_text(Reader& reader) { return std::string(as_text(reader.take(reader.u32()))); }

void put(Writer& writer, const std::vector<NamedCount>& counts) {
  writer.u32(static_cast<std::uint32_t>(counts.size()));
  for (const NamedCount& each : counts) {
    put(writer, each.name);
    writer.u64(each.count);
    writer.u8(each.rare ? 1 : 0);
  }
}

std::vector<NamedCount> take_counts(Reader& reader) {
  std::vector<NamedCount> counts;
  for (std::uint32_t left = reader.u32(); left > 0 && reader.ok(); --left) {
    NamedCount& each = counts.emplace_back();
    each.name = take_text(reader);
    each.count = reader.u64();
    each.rare = reader.u8() != 0;
  }
  return counts;
}

}  // namespace

std::string_view SeedResult::failed_check() const {
  for (const CheckCount& each : checks) {
    if (!each.failure.empty()) return each.name;
  }
  return {};
}

SeedResult result_of(const Plan& plan, const RunReport& report) {
  SeedResult result;
  result.seed = plan.seed;
  result.digest = report.digest.value();
  result.nodes = report.nodes;
  result.operations = report.operations;
  result.reconnects = report.reconnects;
  result.simulated_ns = report.simulated.ns;
  result.events = report.digest.event_count();
  for (const CheckResult& each : report.checks) result.checks.push_back({std::string(each.name), each.judged, each.failure});
  for (std::size_t i = 0; i < fault_kind_count; ++i) {
    const auto kind = static_cast<FaultKind>(i);
    result.faults.push_back({std::string(name_of(kind)), report.applied[kind]});
  }
  for (std::size_t i = 0; i < mark_count; ++i) {
    result.marks.push_back({std::string(mark_table[i].name), report.marks.count(i), mark_table[i].rare});
  }
  return result;
}

SeedResult crashed(std::uint64_t seed, std::string how, std::string notes) {
  SeedResult result;
  result.seed = seed;
  result.checks.push_back({std::string(crash_check), 1, std::move(how)});
  result.notes = std::move(notes);
  return result;
}

void encode(const SeedResult& result, Bytes& out) {
  Writer writer(out);
  for (const std::uint64_t each : {result.seed, result.digest, result.nodes, result.operations, result.reconnects, result.events}) writer.u64(each);
  writer.u64(static_cast<std::uint64_t>(result.simulated_ns));
  writer.u32(static_cast<std::uint32_t>(result.checks.size()));
  for (const CheckCount& each : result.checks) {
    put(writer, each.name);
    writer.u64(each.judged);
    put(writer, each.failure);
  }
  put(writer, result.faults);
  put(writer, result.marks);
  put(writer, result.notes);
}

std::optional<SeedResult> decode_result(ByteView bytes) {
  Reader reader(bytes);
  SeedResult result;
  for (std::uint64_t* each : {&result.seed, &result.digest, &result.nodes, &result.operations, &result.reconnects, &result.events}) {
    *each = reader.u64();
  }
  result.simulated_ns = static_cast<std::int64_t>(reader.u64());
  for (std::uint32_t left = reader.u32(); left > 0 && reader.ok(); --left) {
    CheckCount& each = result.checks.emplace_back();
    each.name = take_text(reader);
    each.judged = reader.u64();
    each.failure = take_text(reader);
  }
  result.faults = take_counts(reader);
  result.marks = take_counts(reader);
  result.notes = take_text(reader);
  if (!reader.at_end()) return std::nullopt;
  return result;
}

std::string seconds_text(std::int64_t ms) {
  return std::to_string(ms / 1000).append(1, '.').append(std::to_string(1000 + ms % 1000).substr(1));
}

std::string verdict_line(const SeedResult& result) {
  return "seed=" + std::to_string(result.seed) + " digest=" + hex16(result.digest) + " operations=" + std::to_string(result.operations) +
         " simulated=" + seconds_text(result.simulated_ns / ns_per_ms) +
         " verdict=" + (result.ok() ? "ok" : "failed:" + std::string(result.failed_check()));
}

std::string lines_of(const SeedResult& result) {
  std::string lines = result.notes;
  for (const CheckCount& each : result.checks) {
    if (!each.failure.empty()) lines += each.name + ": " + each.failure + "\n";
  }
  return lines + verdict_line(result) + "\n";
}

}  // namespace statefs::sim
