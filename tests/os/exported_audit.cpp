#include "tests/os/exported_audit.h"

#include <charconv>
#include <optional>
#include <utility>

namespace statefs::test {
namespace {

// A line is one flat object whose strings have no escapes (audit_text.h), so a member is found by its name alone.
class Line {
 public:
  explicit Line(std::string_view text) : text_(text) {}

  [[nodiscard]] const std::string& missing() const { return missing_; }

  std::optional<std::string_view> raw(std::string_view name) const {
    const std::string member = "\"" + std::string(name) + "\":";
    for (std::size_t at = text_.find(member); at != std::string_view::npos; at = text_.find(member, at + 1)) {
      if (at == 0 || (text_[at - 1] != '{' && text_[at - 1] != ',')) continue;
      const std::string_view rest = text_.substr(at + member.size());
      if (rest.starts_with('"')) return rest.substr(0, rest.find('"', 1) + 1);
      return rest.substr(0, rest.find_first_of(",}"));
    }
    return std::nullopt;
  }
  template <typename Integer>
  Integer number(std::string_view name) {
    Integer value{};
    const auto text = raw(name).value_or(std::string_view());
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) note(name);
    return value;
  }
  std::string string(std::string_view name) {
    const auto text = raw(name);
    if (!text || text->size() < 2 || !text->starts_with('"')) return note(name), std::string();
    return std::string(text->substr(1, text->size() - 2));
  }
  std::string bytes(std::string_view name, std::string_view hex_name) {
    if (raw(name)) return string(name);
    const std::string digits = string(hex_name);
    std::string out;
    for (std::size_t at = 0; at + 1 < digits.size(); at += 2) out += static_cast<char>(byte(digits, at, hex_name));
    return out;
  }
  // Zeros where it is null.
  Digest digest(std::string_view name) {
    Digest out{};
    if (raw(name) == "null") return out;
    const std::string digits = string(name);
    if (digits.size() != 2 * out.size()) return note(name), out;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = byte(digits, 2 * i, name);
    return out;
  }
  // The place of the word among `words`.
  std::size_t word(std::string_view name, std::initializer_list<std::string_view> words) {
    const std::string text = string(name);
    std::size_t place = 0;
    for (const std::string_view each : words) {
      if (each == text) return place;
      ++place;
    }
    note(name);
    return 0;
  }

 private:
  void note(std::string_view name) {
    if (missing_.empty()) missing_ = name;
  }
  std::uint8_t byte(const std::string& digits, std::size_t at, std::string_view name) {
    std::uint8_t value = 0;
    const auto [end, error] = std::from_chars(digits.data() + at, digits.data() + at + 2, value, 16);
    if (error != std::errc() || end != digits.data() + at + 2) note(name);
    return value;
  }
  std::string_view text_;
  std::string missing_;
};

PublicKey key_of(const Digest& bytes) {
  PublicKey key;
  key.bytes = bytes;
  return key;
}

}  // namespace

Result<ExportedRecord, std::string> parse_exported(std::string_view text) {
  if (!text.starts_with('{') || !text.ends_with('}')) return std::string("no whole object: ") + std::string(text.substr(0, 80));
  Line line(text);
  ExportedRecord out;
  AuditRecord& record = out.record;
  record.kind = static_cast<AuditKind>(
      1 + line.word("kind", {"epoch", "mutation", "refusals", "handshakes", "damaged", "policy", "session", "eviction"}));
  record.index = line.number<std::uint64_t>("index");
  record.previous = line.digest("previous");
  record.wall_ns = line.number<std::int64_t>("wall_ns");
  record.monotonic_ns = line.number<std::int64_t>("monotonic_ns");
  record.epoch = line.number<std::uint64_t>("epoch");
  record.node = key_of(line.digest("node"));
  record.policy = line.digest("policy");
  record.peer.kind = static_cast<PeerKind>(line.word("peer_kind", {"none", "remote", "local"}));
  record.peer.key = key_of(line.digest("peer"));
  if (record.peer.kind == PeerKind::local) record.peer.uid = line.number<std::uint32_t>("uid");
  record.at.session = line.number<std::uint64_t>("session");
  record.at.generation = line.number<std::uint32_t>("generation");
  record.at.slot = line.number<std::uint16_t>("slot");
  record.at.sequence = line.number<std::uint64_t>("sequence");
  record.op = line.number<std::uint8_t>("op_number");
  record.allowed = line.raw("allowed") == "true";
  record.rule = line.number<std::uint16_t>("rule");
  record.status = static_cast<Status>(line.number<std::uint16_t>("status_number"));
  record.count = line.number<std::uint64_t>("count");
  record.key_size = line.number<std::uint32_t>("key_size");
  record.key_digest = line.digest("key_digest");
  record.value_size = line.number<std::uint32_t>("value_size");
  record.value_mac = line.digest("value_mac");
  record.old_revision = line.number<std::uint64_t>("old_revision");
  record.new_revision = line.number<std::uint64_t>("new_revision");
  out.hash = line.digest("hash");
  out.alias = line.bytes("alias", "alias_hex");
  out.key = line.bytes("key", "key_hex");
  out.line = text;
  if (!line.missing().empty()) return "no " + line.missing() + " in " + out.line;
  return out;
}

Digest hash_of(const ExportedRecord& exported) {
  AuditRecord record = exported.record;
  record.key = exported.key;
  record.peer.alias = exported.alias;
  Bytes encoded;
  encode_audit(record, encoded);
  return Sha256().of(encoded);
}

Result<std::vector<ExportedRecord>, std::string> parse_export(std::string_view text) {
  std::vector<ExportedRecord> records;
  for (std::size_t end = 0; (end = text.find('\n')) != std::string_view::npos; text.remove_prefix(end + 1)) {
    const std::string_view line = text.substr(0, end);
    // One that a kill cut is written again, whole, behind some that were.
    const std::string again = "\n" + std::string(line);
    if (!line.empty() && !line.ends_with('}') && text.find(again, end) != std::string_view::npos) continue;
    auto record = parse_exported(line);
    if (!record) return record.error();
    records.push_back(std::move(record).value());
  }
  return records;
}

}  // namespace statefs::test
