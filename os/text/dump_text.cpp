#include "os/text/dump_text.h"

#include <utility>

#include "os/text/session_text.h"
#include "os/text/text_values.h"

namespace statefs {
namespace {

std::string number(std::uint64_t value) { return std::to_string(value); }

std::string json_field(std::string_view name, std::uint64_t value) { return "\"" + std::string(name) + "\":" + number(value); }
std::string json_text(std::string_view name, std::string_view value) {
  return "\"" + std::string(name) + "\":\"" + std::string(value) + "\"";
}
std::string json_head(const AuditHead& head) {
  return "{" + json_field("index", head.index) + "," + json_text("hash", hex_of(head.hash)) + "}";
}

// A key that was stored is well formed: of what JSON escapes it can hold a quote alone.
std::string json_key(std::string_view key) {
  std::string out = "\"";
  for (const char c : key) {
    if (c == '"') out += '\\';
    out += c;
  }
  return out + "\"";
}

}  // namespace

bool dump_text(const Look& look, const PrintPiece& print) {
  const State& state = look.store.state;
  if (!print("store " + hex_of(look.store.superblock.store) + " up to " + number(look.report.last.index) + "\n")) return false;
  for (const Epoch& epoch : state.epochs.all()) {
    if (!print("epoch " + number(epoch.number) + (epoch.last.index == 0 ? "" : " ended at " + number(epoch.last.index)) + "\n"))
      return false;
  }
  const auto session = [&print](const SessionOf& each) { return print(session_text(each)); };
  if (!each_session(state.slots, session)) return false;
  for (const auto& [key, entry] : state.entries.map()) {
    const std::string line =
        "key revision " + number(entry.revision) + " size " + number(entry.value.size()) + " writer " + name_of(entry.owner);
    if (!print(line + " " + key + "\n")) return false;  // only a well-formed key was ever stored: it fits a line
  }
  return true;
}

bool dump_json(const Look& look, const PrintPiece& print) {
  const State& state = look.store.state;
  std::string out = "{" + json_text("store", hex_of(look.store.superblock.store)) + ",\"last\":" + json_head(look.report.last) +
                    ",\"epochs\":[";
  bool first = true;
  for (const Epoch& epoch : state.epochs.all()) {
    if (!std::exchange(first, false)) out += ",";
    out += "{" + json_field("epoch", epoch.number) + ",\"last\":" + json_head(epoch.last) + "}";
  }
  if (!print(out + "],\"sessions\":[")) return false;
  first = true;
  const auto comma = [&first] { return std::exchange(first, false) ? "" : ","; };
  if (!each_session(state.slots, [&](const SessionOf& each) { return print(comma() + session_json(each)); })) return false;
  if (!print("],\"keys\":[")) return false;
  first = true;
  for (const auto& [key, entry] : state.entries.map()) {
    const std::string line = "{\"key\":" + json_key(key) + "," + json_field("revision", entry.revision) + "," +
                             json_field("size", entry.value.size()) + "," + json_text("writer", name_of(entry.owner)) + "}";
    if (!print(comma() + line)) return false;
  }
  return print("]}\n");
}

}  // namespace statefs
