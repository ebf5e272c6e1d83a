#include "os/text/audit_line.h"

#include <charconv>

#include "os/text/audit_text.h"
#include "os/text/text_values.h"

namespace statefs {
namespace {

// The members of the object in their one order. What does not fit leaves ok() false, and everything after it is nothing.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}
  [[nodiscard]] bool at_end() const { return ok_ && rest_.empty(); }
  void refuse() { ok_ = false; }

  [[nodiscard]] bool next_is(std::string_view literal) const { return ok_ && rest_.starts_with(literal); }
  void skip(std::string_view literal) {
    ok_ = next_is(literal);
    if (ok_) rest_.remove_prefix(literal.size());
  }
  // `,"NAME":`
  void name(std::string_view name) {
    skip(",\"");
    skip(name);
    skip("\":");
  }
  template <typename Integer>
  void number(std::string_view member, Integer& value) {
    name(member);
    digits(value);
  }
  template <typename Integer>
  void digits(Integer& value) {
    if (!ok_) return;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    ok_ = error == std::errc{};
    if (ok_) rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
  }
  // No string of an audit line needs an escape.
  std::string_view text() {
    skip("\"");
    const std::size_t end = ok_ ? rest_.find('"') : std::string_view::npos;
    if (end == std::string_view::npos) ok_ = false;
    if (!ok_) return {};
    const std::string_view out = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return out;
  }
  // 64 digits, or null, which leaves zeros.
  void digest(std::string_view member, Digest& value) {
    name(member);
    if (next_is("null")) return skip("null");
    const auto bytes = key_of_hex(text());
    if (!bytes)
      ok_ = false;
    else
      value = bytes->bytes;
  }
  void null_or_text(std::string_view member) {
    name(member);
    if (next_is("null")) return skip("null");
    (void)text();
  }
  void boolean(std::string_view member, bool& value) {
    name(member);
    value = next_is("true");
    skip(value ? "true" : "false");
  }
  // A string, or under another name its bytes as digits.
  void bytes(std::string_view plain, std::string_view as_hex, std::string& value) {
    if (next_is(",\"" + std::string(as_hex) + "\":")) {
      name(as_hex);
      const auto decoded = bytes_of_hex(text());
      if (!decoded)
        ok_ = false;
      else
        value = as_text(*decoded);
      return;
    }
    name(plain);
    value = text();
  }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

// Of the enumerators from `first` to `last`, the one of that name.
template <typename Enum>
void named(Scanner& in, std::string_view member, Enum first, Enum last, Enum& value) {
  in.name(member);
  const std::string_view name = in.text();
  for (int i = static_cast<int>(first); i <= static_cast<int>(last); ++i) {
    value = static_cast<Enum>(i);
    if (name_of(value) == name) return;
  }
  in.refuse();
}

void scan_peer(Scanner& in, AuditLine& out) {
  PeerRef& peer = out.record.peer;
  named(in, "peer_kind", PeerKind::none, PeerKind::local, peer.kind);
  in.digest("peer", peer.key.bytes);
  if (in.next_is(",\"uid\":null"))
    in.skip(",\"uid\":null");
  else
    in.number("uid", peer.uid);
  in.bytes("alias", "alias_hex", out.alias);
}

void scan(Scanner& in, AuditLine& out) {
  AuditRecord& record = out.record;
  std::uint16_t status = 0;
  in.skip("{\"index\":");
  in.digits(record.index);
  named(in, "kind", AuditKind::epoch, AuditKind::restored, record.kind);
  in.null_or_text("time");
  in.number("wall_ns", record.wall_ns);
  in.number("monotonic_ns", record.monotonic_ns);
  in.number("epoch", record.epoch);
  in.digest("node", record.node.bytes);
  in.digest("policy", record.policy);
  scan_peer(in, out);
  in.number("session", record.at.session);
  in.number("generation", record.at.generation);
  in.number("slot", record.at.slot);
  in.number("sequence", record.at.sequence);
  in.number("op_number", record.op);
  in.null_or_text("op");
  in.boolean("allowed", record.allowed);
  in.number("rule", record.rule);
  in.null_or_text("status");
  in.number("status_number", status);
  in.number("count", record.count);
  in.bytes("key", "key_hex", out.key);
  in.number("key_size", record.key_size);
  in.digest("key_digest", record.key_digest);
  in.number("value_size", record.value_size);
  in.digest("value_mac", record.value_mac);
  in.number("old_revision", record.old_revision);
  in.number("new_revision", record.new_revision);
  in.digest("previous", record.previous);
  in.digest("hash", out.hash);
  in.skip("}");
  if (!is_status(status)) in.refuse();
  record.status = static_cast<Status>(status);
}

// What encode_audit() takes for granted.
bool can_be_encoded(const AuditRecord& record) {
  const bool is_long = record.key_size > limits::key_size_max;
  if (record.peer.alias.size() > limits::alias_size_max) return false;
  if (record.key.size() != (is_long ? limits::key_size_max : record.key_size)) return false;
  return is_long || record.key_digest == Digest{};
}

}  // namespace

bool parse_audit_line(std::string_view line, AuditLine& out) {
  out.record = {};
  out.hash = {};
  if (line.size() >= audit_line_size_max) return false;
  Scanner in(line);
  scan(in, out);
  if (!in.at_end()) return false;
  out.record.peer.alias = out.alias;
  out.record.key = out.key;
  if (!can_be_encoded(out.record)) return false;
  std::string again;
  append_audit_json(out.record, out.hash, again);
  again.pop_back();
  return again == line;
}

bool genuine(const AuditLine& line) {
  Bytes encoded;
  encode_audit(line.record, encoded);
  return Sha256().of(encoded) == line.hash;
}

}  // namespace statefs
