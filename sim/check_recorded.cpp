#include <algorithm>

#include "sim/checks.h"

namespace statefs::sim {
namespace {

// A PUT or DELETE that is answered so leaves its slot as it was, and has no record.
bool is_final(Status status, bool is_put) {
  constexpr Status both[] = {Status::ok,          Status::access_denied,    Status::invalid_key, Status::key_too_long,
                             Status::revision_conflict};
  if (std::find(std::begin(both), std::end(both), status) != std::end(both)) return true;
  if (!is_put) return status == Status::not_found;
  return status == Status::value_too_large || status == Status::quota_exceeded || status == Status::digest_mismatch;
}

bool is_retried_later(Status status) {
  return status == Status::audit_unavailable || status == Status::no_space || status == Status::io_error || status == Status::overloaded ||
         status == Status::in_progress || status == Status::stage_missing || status == Status::session_unknown || status == Status::fenced;
}

class Recorded {
 public:
  explicit Recorded(const Case& of) : of_(of), mac_(of.context().servers.at(of.server()).mac_key) {}

  CheckResult judge() {
    for (const SeenAppend& append : of_.history().appends) {
      if (append.record.index != append.index || append.record.epoch != append.index >> 40 || append.record.node != own_key()) {
        result_.fail(place_of(append) + ": names another index, epoch or node");
      }
      if (!append.is_mutation()) {
        if (append.effect != Effect::Kind::none) result_.fail(place_of(append) + ": an effect of what is no mutation");
        continue;
      }
      ++result_.judged;
      object(append, effect_objection(append));
      if (const SeenCall* const call = of_.call_of(append)) object(append, call_objection(append.record, *call, of_.is_certain(append)));
    }
    return result_;
  }

 private:
  void object(const SeenAppend& append, const std::string& what) {
    if (!what.empty()) result_.fail(place_of(append) + ": " + what);
  }
  [[nodiscard]] const PublicKey& own_key() const { return of_.context().keys[of_.server()]; }
  [[nodiscard]] std::string effect_objection(const SeenAppend& append);
  [[nodiscard]] std::string call_objection(const AuditRecord& record, const SeenCall& call, bool certain) const;
  [[nodiscard]] Digest mac_of_value(ByteView value) {
    return value.size() > limits::value_size_max ? mac_.of(Sha256().of(value)) : mac_.of(value);
  }
  [[nodiscard]] std::string untold_absence(const SeenAppend& append) const;

  const Case& of_;
  HmacSha256 mac_;
  CheckResult result_{"recorded", 0, {}};
};

// A DELETE of what is absent is answered OK to a peer that may not know.
std::string Recorded::untold_absence(const SeenAppend& append) const {
  const NodeId peer = of_.node_of(append.record.peer);
  const bool may_know = shadow_verdict(of_.policy_at(append.at), of_.shadow_of(peer), Op::get, append.record.key) == Status::ok;
  if (may_know || append.record.old_revision != 0 || append.record.new_revision != 0) return "done without an effect";
  return {};
}

std::string Recorded::effect_objection(const SeenAppend& append) {
  const AuditRecord& record = append.record;
  const bool is_put = record.op == static_cast<std::uint8_t>(Op::put);
  if (!is_put && record.op != static_cast<std::uint8_t>(Op::del)) return "a mutation that is neither PUT nor DELETE";
  if (is_retried_later(record.status)) return "recorded though it was not consumed";
  if (!is_final(record.status, is_put)) return "recorded with what no such request comes to";
  // Between the limit of one request and that of a staged value it depends on how it came.
  const auto [lower, upper] = std::minmax<std::uint64_t>({limits::value_size_max, of_.store().staging.value_size_max});
  const bool is_refused = record.status == Status::value_too_large;
  const bool is_too_large = record.value_size > (is_refused ? lower : upper);
  if (record.allowed && is_too_large != is_refused) return "a value on the other side of its limit";
  if (append.effect == Effect::Kind::none) {
    if (record.status != Status::ok) return record.new_revision == record.old_revision ? "" : "refused, and another revision";
    return is_put ? "done without an effect" : untold_absence(append);
  }
  if (record.status != Status::ok || !record.allowed) return "refused, and an effect";
  if ((append.effect == Effect::Kind::put) != is_put) return "the effect of another op";
  if (append.key != record.key || append.key.size() != record.key_size) return "the effect on another key";
  if (record.new_revision != (is_put ? append.index : 0)) return "another new revision";
  if (!is_put) return append.value.empty() && record.value_size == 0 ? "" : "a DELETE with a value";
  if (append.value.size() != record.value_size || mac_of_value(append.value) != record.value_mac) return "the effect of another value";
  return {};
}

std::string Recorded::call_objection(const AuditRecord& record, const SeenCall& call, bool certain) const {
  const PeerKind kind = of_.shadow_of(call.node).local ? PeerKind::local : PeerKind::remote;
  if (of_.node_of(record.peer) != call.node || record.peer.kind != kind) return "is not of the peer of " + place_of(call);
  if (record.op != static_cast<std::uint8_t>(call.op)) return "is of another op than " + place_of(call);
  const std::string_view key = std::string_view(call.key).substr(0, limits::key_size_max);
  if (record.key_size != call.key.size() || record.key != key) return "is of another key than " + place_of(call);
  const bool is_long = record.key_size > limits::key_size_max;
  if (is_long && record.key_digest != Sha256().of(as_bytes(call.key))) return "has another digest of its key than " + place_of(call);
  if (record.value_size != call.value_size) return "is of another size than " + place_of(call);
  if (call.op == Op::put && call.value.size() == call.value_size && record.value_mac != of_.mac_of(call)) {
    return "is of another value than " + place_of(call);
  }
  if (!certain || !call.answered() || call.index != record.index) return {};
  if (record.status != call.status) return "has another status than " + place_of(call);
  if (call.status != Status::ok || call.op == Op::del) return {};
  return call.revision == record.index ? "" : "has another revision than " + place_of(call);
}

}  // namespace

CheckResult check_recorded(const Case& of) { return Recorded(of).judge(); }

}  // namespace statefs::sim
