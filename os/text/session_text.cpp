#include "os/text/session_text.h"

#include "os/text/text_values.h"

namespace statefs {
namespace {

constexpr std::size_t key_digits_min = 8;

std::string number(std::uint64_t value) { return std::to_string(value); }

}  // namespace

std::string name_of(const Owner& owner) {
  switch (owner.kind) {
    case PeerKind::none:
      return "none";
    case PeerKind::remote:
      return hex_of(owner.key.bytes);
    case PeerKind::local:
      return "uid:" + std::to_string(owner.uid);
  }
  return {};
}

bool is_named(const Owner& owner, std::string_view wanted) {
  const std::string name = name_of(owner);
  return name == wanted || (owner.kind == PeerKind::remote && wanted.size() >= key_digits_min && name.starts_with(wanted));
}

bool each_session(const SlotTable& slots, const std::function<bool(const SessionOf&)>& visit) {
  for (const auto& [owner, shelf] : slots.shelves()) {
    for (const SlotSession& session : shelf.live) {
      if (!visit({owner, session, true})) return false;
    }
    for (const SlotSession& session : shelf.ended) {
      if (!visit({owner, session, false})) return false;
    }
  }
  return true;
}

std::string session_text(const SessionOf& of) {
  std::string out = "session " + number(of.session.number) + (of.live ? " live" : " ended") + " peer " + name_of(of.owner) + " instance " +
                    hex_of(of.session.instance) + " generation " + number(of.session.generation) + " used " +
                    number(of.session.used_index) + "\n";
  for (std::size_t i = 0; i < of.session.slots.size(); ++i) {
    const Slot& slot = of.session.slots[i];
    if (slot.sequence == 0) continue;
    out += "  slot " + number(i) + " sequence " + number(slot.sequence) + " " + std::string(name_of(slot.status)) + " index " +
           number(slot.index) + " revision " + number(slot.revision) + "\n";
  }
  return out;
}

std::string session_json(const SessionOf& of) {
  std::string out = "{\"number\":" + number(of.session.number) + ",\"state\":\"" + (of.live ? "live" : "ended") + "\",\"peer\":\"" +
                    name_of(of.owner) + "\",\"instance\":\"" + hex_of(of.session.instance) +
                    "\",\"generation\":" + number(of.session.generation) + ",\"used_index\":" + number(of.session.used_index) +
                    ",\"slots\":[";
  bool first = true;
  for (std::size_t i = 0; i < of.session.slots.size(); ++i) {
    const Slot& slot = of.session.slots[i];
    if (slot.sequence == 0) continue;
    out += (first ? "{\"slot\":" : ",{\"slot\":") + number(i) + ",\"sequence\":" + number(slot.sequence) + ",\"status\":\"" +
           std::string(name_of(slot.status)) + "\",\"index\":" + number(slot.index) + ",\"revision\":" + number(slot.revision) + "}";
    first = false;
  }
  return out + "]}";
}

}  // namespace statefs
