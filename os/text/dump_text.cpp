#include "os/text/dump_text.h"

#include <utility>

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

std::string writer_of(const Owner& owner) {
  switch (owner.kind) {
    case PeerKind::none:
      return "none";
    case PeerKind::remote:
      return hex_of(owner.key.bytes);
    case PeerKind::local:
      return "uid:" + number(owner.uid);
  }
  return {};
}

std::string session_text(const SlotSession& session, std::string_view state, const Owner& owner) {
  std::string out = "session " + number(session.number) + " " + std::string(state) + " peer " + writer_of(owner) +
                    " generation " + number(session.generation) + " used " + number(session.used_index) + "\n";
  for (std::size_t i = 0; i < session.slots.size(); ++i) {
    const Slot& slot = session.slots[i];
    if (slot.sequence == 0) continue;
    out += "  slot " + number(i) + " sequence " + number(slot.sequence) + " " + std::string(statefs::name_of(slot.status)) +
           " index " + number(slot.index) + " revision " + number(slot.revision) + "\n";
  }
  return out;
}

std::string session_json(const SlotSession& session, std::string_view state, const Owner& owner) {
  std::string out = "{" + json_field("number", session.number) + "," + json_text("state", state) + "," +
                    json_text("peer", writer_of(owner)) + "," + json_field("generation", session.generation) + "," +
                    json_field("used_index", session.used_index) + ",\"slots\":[";
  bool first = true;
  for (std::size_t i = 0; i < session.slots.size(); ++i) {
    const Slot& slot = session.slots[i];
    if (slot.sequence == 0) continue;
    if (!std::exchange(first, false)) out += ",";
    out += "{" + json_field("slot", i) + "," + json_field("sequence", slot.sequence) + "," +
           json_text("status", statefs::name_of(slot.status)) + "," + json_field("index", slot.index) + "," +
           json_field("revision", slot.revision) + "}";
  }
  return out + "]}";
}

// Each session of each peer, the live ones first.
template <typename Visit>
bool each_session(const SlotTable& slots, const Visit& visit) {
  for (const auto& [owner, shelf] : slots.shelves()) {
    for (const SlotSession& session : shelf.live) {
      if (!visit(session, "live", owner)) return false;
    }
    for (const SlotSession& session : shelf.ended) {
      if (!visit(session, "ended", owner)) return false;
    }
  }
  return true;
}

}  // namespace

bool dump_text(const Look& look, const PrintPiece& print) {
  const State& state = look.store.state;
  if (!print("store " + hex_of(look.store.superblock.store) + " up to " + number(look.report.last.index) + "\n")) return false;
  for (const Epoch& epoch : state.epochs.all()) {
    if (!print("epoch " + number(epoch.number) + (epoch.last.index == 0 ? "" : " ended at " + number(epoch.last.index)) + "\n"))
      return false;
  }
  const auto session = [&print](const SlotSession& each, std::string_view is, const Owner& owner) {
    return print(session_text(each, is, owner));
  };
  if (!each_session(state.slots, session)) return false;
  for (const auto& [key, entry] : state.entries.map()) {
    const std::string line =
        "key revision " + number(entry.revision) + " size " + number(entry.value.size()) + " writer " + writer_of(entry.owner);
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
  if (!each_session(state.slots, [&](const SlotSession& each, std::string_view is, const Owner& owner) {
        return print(comma() + session_json(each, is, owner));
      })) {
    return false;
  }
  if (!print("],\"keys\":[")) return false;
  first = true;
  for (const auto& [key, entry] : state.entries.map()) {
    const std::string line = "{\"key\":" + json_key(key) + "," + json_field("revision", entry.revision) + "," +
                             json_field("size", entry.value.size()) + "," + json_text("writer", writer_of(entry.owner)) + "}";
    if (!print(comma() + line)) return false;
  }
  return print("]}\n");
}

}  // namespace statefs
