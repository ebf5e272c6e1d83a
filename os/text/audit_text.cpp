#include "os/text/audit_text.h"

#include <algorithm>
#include <charconv>

#include "core/key.h"

namespace statefs {
namespace {

constexpr char hex_digits[] = "0123456789abcdef";
constexpr std::int64_t ns_per_second = 1'000'000'000;
constexpr std::int64_t seconds_per_day = 86'400;

void append_hex(ByteView bytes, std::string& out) {
  const std::size_t start = out.size();
  out.resize(start + 2 * bytes.size());
  char* at = out.data() + start;
  for (const std::uint8_t byte : bytes) {
    *at++ = hex_digits[byte >> 4];
    *at++ = hex_digits[byte & 15];
  }
}

template <typename Integer>
std::string& append_number(Integer value, std::string& out) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof(digits), value).ptr;
  return out.append(digits, end);
}

// `width` digits, zeros in front.
void append_padded(std::uint64_t value, std::size_t width, std::string& out) {
  char digits[20];
  for (std::size_t i = width; i-- > 0; value /= 10) digits[i] = static_cast<char>('0' + value % 10);
  out.append(digits, width);
}

struct Date {
  std::int64_t year = 0;
  std::uint64_t month = 0;
  std::uint64_t day = 0;
};

// Proleptic Gregorian. Years are counted from March, so that a leap day is the last of its year; a 400-year era has
// 146,097 days.
Date date_of(std::int64_t days_since_1970) {
  const std::int64_t days = days_since_1970 + 719'468;  // since 0000-03-01
  const std::int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
  const auto day_of_era = static_cast<std::uint64_t>(days - era * 146'097);
  const std::uint64_t year_of_era = (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::uint64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::uint64_t month_from_march = (5 * day_of_year + 2) / 153;
  const std::uint64_t day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
  const std::uint64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  return {static_cast<std::int64_t>(year_of_era) + era * 400 + (month <= 2 ? 1 : 0), month, day};
}

bool is_printable(char c) { return c >= 0x20 && c < 0x7f; }

// Whether a JSON string may hold the bytes as they are, and a terminal may show them.
bool is_plain(std::string_view text) {
  if (text.find('"') != std::string_view::npos || text.find('\\') != std::string_view::npos) return false;
  if (std::all_of(text.begin(), text.end(), is_printable)) return true;
  return CanonicalKey::from(as_bytes(text)).ok() || CanonicalPrefix::from(as_bytes(text)).ok();
}

std::string_view name_of_failure(std::uint8_t cause) {
  switch (static_cast<HandshakeFailure>(cause)) {
    case HandshakeFailure::bad_message: return "bad_message";
    case HandshakeFailure::not_enrolled: return "not_enrolled";
    case HandshakeFailure::timed_out: return "timed_out";
    case HandshakeFailure::peer_limit: return "peer_limit";
    case HandshakeFailure::unnamed_uid: return "unnamed_uid";
  }
  return {};
}

// The two ids that a record of a restored store holds.
ByteView from_store(const AuditRecord& record) { return ByteView(record.value_mac).first(sizeof(StoreId)); }
ByteView new_store(const AuditRecord& record) { return ByteView(record.value_mac).subspan(sizeof(StoreId)); }

bool is_zero(const Digest& digest) { return digest == Digest{}; }

void append_op(std::uint8_t op, std::string& out) {
  const std::string_view name = name_of_op(op);
  out.append(name);
  if (name.empty()) append_number(op, out.append("op"));
}

// The JSON members, each with its comma in front of it but the first.
class Json {
 public:
  explicit Json(std::string& out) : out_(out) { out_ += '{'; }

  template <typename Integer>
  void number(std::string_view name, Integer value) {
    append_number(value, member(name));
  }
  void boolean(std::string_view name, bool value) { member(name).append(value ? "true" : "false"); }
  void null(std::string_view name) { member(name).append("null"); }
  // Of text that is known to be plain.
  void text(std::string_view name, std::string_view value) { member(name).append(1, '"').append(value).append(1, '"'); }
  void digest(std::string_view name, ByteView value) {
    append_hex(value, member(name).append(1, '"'));
    out_ += '"';
  }
  void digest_or_null(std::string_view name, const Digest& value) { is_zero(value) ? null(name) : digest(name, value); }
  // Of any bytes: `name`, or `hex_name` where they are not plain.
  void bytes(std::string_view name, std::string_view hex_name, std::string_view value) {
    is_plain(value) ? text(name, value) : digest(hex_name, as_bytes(value));
  }
  void close() { out_ += "}\n"; }

  std::string& member(std::string_view name) {
    if (!first_) out_ += ',';
    first_ = false;
    return out_.append(1, '"').append(name).append("\":");
  }

 private:
  std::string& out_;
  bool first_ = true;
};

void json_peer(const AuditRecord& record, Json& json) {
  json.text("peer_kind", name_of(record.peer.kind));
  if (record.peer.kind == PeerKind::remote) {
    json.digest("peer", record.peer.key.bytes);
  } else {
    json.null("peer");
  }
  if (record.peer.kind == PeerKind::local) {
    json.number("uid", record.peer.uid);
  } else {
    json.null("uid");
  }
  json.bytes("alias", "alias_hex", record.peer.alias);
}

void json_op(const AuditRecord& record, Json& json) {
  const bool counts_handshakes = record.kind == AuditKind::handshakes;
  const std::string_view op = counts_handshakes ? name_of_failure(record.op) : name_of_op(record.op);
  json.number("op_number", record.op);
  op.empty() ? json.null("op") : json.text("op", op);
}

// ` name=` of a console line.
std::string& field(std::string_view name, std::string& out) { return out.append(1, ' ').append(name).append(1, '='); }

void number_field(std::string_view name, std::uint64_t value, std::string& out) { append_number(value, field(name, out)); }

// What happened, and what the policy said: `put allow`, `handshake deny`, `epoch note`.
void append_event(const AuditRecord& record, std::string& out) {
  switch (record.kind) {
    case AuditKind::mutation:
    case AuditKind::refusals:
      append_op(record.op, out);
      out.append(record.allowed ? " allow" : " deny");
      return;
    case AuditKind::handshakes: out.append("handshake deny"); return;
    case AuditKind::damaged: out.append("record deny"); return;
    case AuditKind::epoch: out.append("epoch note"); return;
    case AuditKind::policy: out.append("policy note"); return;
    case AuditKind::session: out.append(name_of_op(record.op)).append(" note"); return;
    case AuditKind::eviction: out.append("evict note"); return;
    case AuditKind::restored: out.append("restore note"); return;
  }
  STATEFS_CHECK(false);
}

void append_peer_fields(const PeerRef& peer, std::string& out) {
  if (peer.kind == PeerKind::remote) append_hex(peer.key.bytes, field("peer", out));
  if (peer.kind == PeerKind::local) number_field("uid", peer.uid, out);
  if (!peer.alias.empty()) append_escaped(peer.alias, field("alias", out));
}

void append_mutation_fields(const AuditRecord& record, std::string& out) {
  number_field("rule", record.rule, out);
  number_field("old", record.old_revision, out);
  number_field("new", record.new_revision, out);
  number_field("size", record.value_size, out);
  if (!is_zero(record.value_mac)) append_hex(record.value_mac, field("mac", out));
  if (record.at.session != 0) {
    number_field("session", record.at.session, out);
    number_field("generation", record.at.generation, out);
    number_field("slot", record.at.slot, out);
    number_field("sequence", record.at.sequence, out);
  }
}

}  // namespace

std::string_view name_of(AuditKind kind) {
  switch (kind) {
    case AuditKind::epoch:
      return "epoch";
    case AuditKind::mutation:
      return "mutation";
    case AuditKind::refusals:
      return "refusals";
    case AuditKind::handshakes:
      return "handshakes";
    case AuditKind::damaged:
      return "damaged";
    case AuditKind::policy:
      return "policy";
    case AuditKind::session:
      return "session";
    case AuditKind::eviction:
      return "eviction";
    case AuditKind::restored:
      return "restored";
  }
  STATEFS_CHECK(false);
}

std::string_view name_of(PeerKind kind) {
  switch (kind) {
    case PeerKind::none:
      return "none";
    case PeerKind::remote:
      return "remote";
    case PeerKind::local:
      return "local";
  }
  STATEFS_CHECK(false);
}

std::string_view name_of_op(std::uint8_t op) {
  switch (static_cast<Op>(op)) {
    case Op::put: return "put";
    case Op::get: return "get";
    case Op::del: return "del";
    case Op::list: return "list";
    case Op::sync: return "sync";
    case Op::hello: return "hello";
    case Op::open: return "open";
    case Op::resume: return "resume";
    case Op::close: return "close";
    case Op::outcome: return "outcome";
    case Op::stage: return "stage";
  }
  return {};
}

std::string& append_escaped(std::string_view bytes, std::string& out) {
  for (const char c : bytes) {
    if (is_printable(c) && c != ' ' && c != '%') {
      out += c;
      continue;
    }
    const auto byte = static_cast<std::uint8_t>(c);
    const char escape[] = {'%', hex_digits[byte >> 4], hex_digits[byte & 15]};
    out.append(escape, sizeof(escape));
  }
  return out;
}

void append_rfc3339(std::int64_t wall_ns, std::string& out) {
  // Floor, so that an instant before 1970 keeps a fraction from 0 to 1.
  std::int64_t seconds_since_1970 = wall_ns / ns_per_second;
  std::int64_t fraction_ns = wall_ns % ns_per_second;
  if (fraction_ns < 0) {
    fraction_ns += ns_per_second;
    seconds_since_1970 -= 1;
  }
  std::int64_t days = seconds_since_1970 / seconds_per_day;
  std::int64_t second_of_day = seconds_since_1970 % seconds_per_day;
  if (second_of_day < 0) {
    second_of_day += seconds_per_day;
    days -= 1;
  }
  const Date date = date_of(days);  // 64 bits of nanoseconds reach from 1677 to 2262: four digits
  const auto seconds = static_cast<std::uint64_t>(second_of_day);
  append_padded(static_cast<std::uint64_t>(date.year), 4, out);
  append_padded(date.month, 2, out += '-');
  append_padded(date.day, 2, out += '-');
  append_padded(seconds / 3'600, 2, out += 'T');
  append_padded(seconds / 60 % 60, 2, out += ':');
  append_padded(seconds % 60, 2, out += ':');
  append_padded(static_cast<std::uint64_t>(fraction_ns), 9, out += '.');
  out += 'Z';
}

void append_audit_json(const AuditRecord& record, const Digest& hash, std::string& out) {
  Json json(out);
  json.number("index", record.index);
  json.text("kind", name_of(record.kind));
  append_rfc3339(record.wall_ns, json.member("time").append(1, '"'));
  out += '"';
  json.number("wall_ns", record.wall_ns);
  json.number("monotonic_ns", record.monotonic_ns);
  json.number("epoch", record.epoch);
  json.digest("node", record.node.bytes);
  json.digest_or_null("policy", record.policy);
  json_peer(record, json);
  json.number("session", record.at.session);
  json.number("generation", record.at.generation);
  json.number("slot", record.at.slot);
  json.number("sequence", record.at.sequence);
  json_op(record, json);
  json.boolean("allowed", record.allowed);
  json.number("rule", record.rule);
  json.text("status", statefs::name_of(record.status));
  json.number("status_number", static_cast<std::uint16_t>(record.status));
  json.number("count", record.count);
  json.bytes("key", "key_hex", record.key);
  json.number("key_size", record.key_size);
  json.digest_or_null("key_digest", record.key_digest);
  json.number("value_size", record.value_size);
  json.digest_or_null("value_mac", record.value_mac);
  json.number("old_revision", record.old_revision);
  json.number("new_revision", record.new_revision);
  json.digest("previous", record.previous);
  json.digest("hash", hash);
  json.close();
}

void append_audit_text(const AuditRecord& record, std::string& out) {
  append_number(record.index, out) += ' ';
  append_rfc3339(record.wall_ns, out);
  append_event(record, out.append(1, ' '));
  out.append(1, ' ').append(statefs::name_of(record.status));
  if (record.kind == AuditKind::mutation) {
    // As a person typed it where it is a key; nothing else can be mistaken for another field.
    if (CanonicalKey::from(as_bytes(record.key)).ok() && record.key.find(' ') == std::string_view::npos)
      out.append(1, ' ').append(record.key);
    else
      append_escaped(record.key, out.append(1, ' '));
    out.append(" revision ");
    append_number(record.old_revision, out).append("->");
    append_number(record.new_revision, out).append(" size ");
    append_number(record.value_size, out);
  }
  if (record.kind == AuditKind::restored) {
    append_hex(from_store(record), out.append(" from "));
    append_hex(new_store(record), out.append(" store "));
  }
  if (record.count != 1) append_number(record.count, out.append(" count "));
  out.append(" by ");
  if (record.peer.kind == PeerKind::none) out += '-';
  if (record.peer.kind == PeerKind::local) append_number(record.peer.uid, out.append("uid:"));
  if (!record.peer.alias.empty()) append_escaped(record.peer.alias, out) += ' ';
  if (record.peer.kind == PeerKind::remote) append_hex(record.peer.key.bytes, out);
  out += '\n';
}

void append_audit_journald(const AuditRecord& record, const Digest& hash, std::string& out) {
  const auto name = [&out](std::string_view field) -> std::string& { return out.append(field).append(1, '='); };
  append_audit_console(record, hash, name("MESSAGE"));
  // What was refused is what somebody may want to be told.
  out.append(record.status == Status::ok ? "PRIORITY=6\n" : "PRIORITY=5\n");
  out.append("SYSLOG_IDENTIFIER=dsoftbusd\n");
  append_number(record.index, name("STATEFS_INDEX")).append(1, '\n');
  append_hex(hash, name("STATEFS_HASH"));
  name("\nSTATEFS_KIND").append(name_of(record.kind)).append(1, '\n');
  if (record.kind == AuditKind::mutation) append_op(record.op, name("STATEFS_OP"));
  if (record.kind == AuditKind::mutation) append_escaped(record.key, name("\nSTATEFS_KEY")).append(1, '\n');
  name("STATEFS_STATUS").append(statefs::name_of(record.status)).append(1, '\n');
  if (record.peer.kind == PeerKind::remote) append_hex(record.peer.key.bytes, name("STATEFS_PEER"));
  if (record.peer.kind == PeerKind::remote) out += '\n';
  append_audit_json(record, hash, name("STATEFS_RECORD"));
}

void append_audit_console(const AuditRecord& record, const Digest& hash, std::string& out) {
  out.append("dsoftbusd: audit ").append(name_of(record.peer.kind)).append(" statefs ");
  append_event(record, out);
  append_peer_fields(record.peer, out);
  if (record.kind == AuditKind::mutation) append_escaped(record.key, field("key", out));
  if (record.key_size > record.key.size()) {
    number_field("key_size", record.key_size, out);
    append_hex(record.key_digest, field("key_digest", out));
  }
  if (record.kind == AuditKind::handshakes) field("cause", out).append(name_of_failure(record.op));
  field("status", out).append(statefs::name_of(record.status));
  number_field("index", record.index, out);
  if (record.kind == AuditKind::mutation) append_mutation_fields(record, out);
  if (record.kind == AuditKind::restored) {
    append_hex(from_store(record), field("from", out));
    append_hex(new_store(record), field("store", out));
  }
  if (record.count != 1) number_field("count", record.count, out);
  number_field("epoch", record.epoch, out);
  if (!is_zero(record.policy)) append_hex(record.policy, field("policy", out));
  append_rfc3339(record.wall_ns, field("time", out));
  append_hex(hash, field("hash", out));
  out += '\n';
}

}  // namespace statefs
