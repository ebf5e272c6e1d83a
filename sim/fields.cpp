#include "sim/fields.h"

#include <algorithm>

#include "os/text/audit_text.h"

namespace statefs::sim {
namespace {

constexpr char digits[] = "0123456789abcdef";
constexpr std::size_t list_entries_shown = 64;

// Appends fields of one message.
class FieldWriter {
 public:
  explicit FieldWriter(Fields& out) : out_(out) {}

  void text(std::string_view name, std::string value) { out_.push_back({std::string(name), std::move(value)}); }
  void number(std::string_view name, std::uint64_t value) { text(name, std::to_string(value)); }
  void bytes(std::string_view name, ByteView value) { text(name, shown(as_text(value))); }
  void hex(std::string_view name, ByteView value) { text(name, hex_of(value)); }
  void head(const AuditHead& value) {
    number("head_index", value.index);
    if (value.index != 0) hex("head_hash", value.hash);
  }
  void slot(const SlotRef& at) {
    number("session", at.session);
    if (at.session == 0) return;
    number("generation", at.generation);
    number("slot", at.slot);
    number("sequence", at.sequence);
  }
  void retry(std::uint32_t after_ms) {
    if (after_ms != 0) number("retry_after_ms", after_ms);
  }
  void condition(std::string_view name, const std::optional<std::uint64_t>& revision) {
    if (revision) text(name, *revision == 0 ? "0 (must be absent)" : std::to_string(*revision));
  }

 private:
  Fields& out_;
};

// One overload for each request.
class RequestFields {
 public:
  explicit RequestFields(Fields& out) : to_(out) {}

  void operator()(const PutRequest& put) {
    to_.bytes("key", put.key);
    to_.condition("expected_revision", put.expected_revision);
    to_.number("value_size", put.value_size);
    if (put.stage) {
      to_.number("stage", put.stage->stage);
      to_.number("total_size", put.stage->total_size);
      to_.hex("digest", put.stage->digest);
    } else {
      to_.bytes("value", put.value);
    }
    to_.slot(put.at);
  }
  void operator()(const GetRequest& get) {
    to_.bytes("key", get.key);
    to_.condition("revision", get.revision);
    to_.number("offset", get.offset);
    to_.number("length", get.length);
  }
  void operator()(const DeleteRequest& del) {
    to_.bytes("key", del.key);
    to_.condition("expected_revision", del.expected_revision);
    to_.slot(del.at);
  }
  void operator()(const ListRequest& list) {
    to_.bytes("prefix", list.prefix);
    to_.bytes("cursor", list.cursor);
    to_.number("limit", list.limit);
  }
  void operator()(const SyncRequest& sync) { to_.number("epoch", sync.epoch); }
  void operator()(const HelloRequest& hello) {
    to_.number("version", hello.version);
    to_.number("features", hello.features);
    to_.hex("store", hello.store);
    to_.number("epoch", hello.epoch);
    to_.head(hello.head);
  }
  void operator()(const OpenRequest& open) { instance(open.instance, open.generation); }
  void operator()(const ResumeRequest& resume) { instance(resume.instance, resume.generation); }
  void operator()(const CloseRequest& close) {
    to_.number("session", close.session);
    to_.number("generation", close.generation);
  }
  void operator()(const OutcomeRequest& outcome) {
    to_.hex("instance", outcome.instance);
    to_.number("slot", outcome.slot);
    to_.number("sequence", outcome.sequence);
  }
  void operator()(const StageRequest& stage) {
    to_.bytes("key", stage.key);
    to_.number("stage", stage.stage);
    to_.number("total_size", stage.total_size);
    to_.number("offset", stage.offset);
    to_.number("chunk_size", stage.chunk_size);
    to_.bytes("chunk", stage.chunk);
  }

 private:
  void instance(const SessionInstance& instance, std::uint32_t generation) {
    to_.hex("instance", instance);
    to_.number("generation", generation);
  }
  FieldWriter to_;
};

std::string_view name_of(HeadComparison comparison) {
  switch (comparison) {
    case HeadComparison::none: return "none";
    case HeadComparison::same: return "same";
    case HeadComparison::differs: return "differs";
    case HeadComparison::trimmed: return "trimmed";
  }
  return "?";
}

std::string_view name_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::none: return "none";
    case Outcome::applied: return "applied";
    case Outcome::refused: return "refused";
    case Outcome::never_executed: return "never_executed";
    case Outcome::pending: return "pending";
    case Outcome::beyond_horizon: return "beyond_horizon";
  }
  return "?";
}

// One overload for each response.
class ResponseFields {
 public:
  explicit ResponseFields(Fields& out) : to_(out) {}

  void operator()(const EmptyResponse&) {}
  void operator()(const MutationResponse& mutation) {
    to_.number("record", mutation.index);
    to_.number("revision", mutation.revision);
    if (mutation.replayed) to_.text("replayed", "yes");
    to_.retry(mutation.retry_after_ms);
    to_.head(mutation.head);
  }
  void operator()(const GetResponse& got) {
    to_.number("revision", got.revision);
    to_.number("total_size", got.total_size);
    to_.retry(got.retry_after_ms);
    to_.bytes("data", got.data);
  }
  void operator()(const ListResponse& page) {
    to_.number("entries", page.entries.size());
    to_.text("has_more", page.has_more ? "yes" : "no");
    to_.retry(page.retry_after_ms);
    for (std::size_t i = 0; i < std::min(page.entries.size(), list_entries_shown); ++i) {
      const ListEntry& entry = page.entries[i];
      to_.text("entry " + std::to_string(i), shown(as_text(entry.key)) + " revision=" + std::to_string(entry.revision) +
                                                 " size=" + std::to_string(entry.size));
    }
  }
  void operator()(const SyncResponse& sync) {
    to_.number("epoch", sync.epoch);
    to_.number("durable_index", sync.durable_index);
    to_.retry(sync.retry_after_ms);
    to_.head(sync.head);
  }
  void operator()(const HelloResponse& hello) {
    to_.number("version", hello.version);
    to_.text("comparison", std::string(name_of(hello.comparison)));
    to_.number("features", hello.features);
    to_.hex("store", hello.store);
    to_.number("epoch", hello.epoch);
    to_.number("last_index", hello.last_index);
    to_.number("durable_index", hello.durable_index);
    to_.head(hello.head);
    to_.number("key_size_max", hello.key_size_max);
    to_.number("value_size_max", hello.value_size_max);
    to_.number("total_value_size_max", hello.total_value_size_max);
    to_.number("list_entries_max", hello.list_entries_max);
    to_.number("slots_per_session", hello.slots_per_session);
    to_.number("sessions_per_key", hello.sessions_per_key);
    to_.number("keepalive_ms", hello.keepalive_ms);
  }
  void operator()(const SessionResponse& session) {
    to_.number("session", session.session);
    to_.number("generation", session.generation);
    to_.retry(session.retry_after_ms);
    for (std::size_t i = 0; i < session.slots.size(); ++i) {
      const SlotState& slot = session.slots[i];
      if (slot.sequence == 0) continue;
      to_.text("slot " + std::to_string(i), "sequence=" + std::to_string(slot.sequence) + " record=" + std::to_string(slot.index) +
                                                " revision=" + std::to_string(slot.revision) + " " + std::string(statefs::name_of(slot.status)));
    }
  }
  void operator()(const OutcomeResponse& outcome) {
    to_.text("outcome", std::string(name_of(outcome.outcome)));
    to_.text("recorded", std::string(statefs::name_of(outcome.recorded)));
    to_.number("record", outcome.index);
    to_.number("revision", outcome.revision);
    to_.retry(outcome.retry_after_ms);
  }
  void operator()(const StageResponse& stage) {
    to_.number("staged_size", stage.staged_size);
    to_.retry(stage.retry_after_ms);
  }

 private:
  FieldWriter to_;
};

}  // namespace

std::string shown(std::string_view bytes, std::size_t size_max) {
  std::string out;
  for (const char c : bytes.substr(0, size_max)) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (byte >= 0x20 && byte < 0x7f && byte != '\\') {
      out += c;
    } else {
      out.append("\\x").append(1, digits[byte >> 4]).append(1, digits[byte & 15]);
    }
  }
  if (bytes.size() > size_max) out += " ... (" + std::to_string(bytes.size()) + " bytes)";
  return out;
}

std::string hex_of(ByteView bytes) {
  std::string out;
  out.reserve(2 * bytes.size());
  for (const std::uint8_t byte : bytes) out.append(1, digits[byte >> 4]).append(1, digits[byte & 15]);
  return out;
}

std::string op_title(std::uint8_t op) {
  std::string name(name_of_op(op));
  if (name.empty()) return "op " + std::to_string(op);
  std::transform(name.begin(), name.end(), name.begin(), [](char c) { return static_cast<char>(c - 'a' + 'A'); });
  return name == "DEL" ? "DELETE" : name;
}

void add_fields(const FrameHeader& header, Fields& out) {
  FieldWriter to(out);
  const bool is_response = (header.op & response_bit) != 0;
  to.text("op", op_title(static_cast<std::uint8_t>(header.op & ~response_bit)) + (is_response ? " response" : ""));
  to.number("id", header.id);
  if (is_response) {
    const std::string_view name = is_status(header.status) ? statefs::name_of(static_cast<Status>(header.status)) : "?";
    to.text("status", std::string(name) + " (" + std::to_string(header.status) + ")");
  }
  to.number("flags", header.flags);
  to.number("body_size", header.body_size);
}

void add_fields(const RequestBody& body, Fields& out) { std::visit(RequestFields(out), body); }

void add_fields(const ResponseBody& body, Fields& out) { std::visit(ResponseFields(out), body); }

// The console line of a record has its fields already, each without a space inside.
void add_fields(const AuditRecord& record, ByteView encoded, Fields& out) {
  Sha256 sha;
  std::string line;
  append_audit_console(record, sha.of(encoded), line);
  std::string_view rest(line);
  if (rest.ends_with('\n')) rest.remove_suffix(1);
  std::string event;
  while (!rest.empty()) {
    const std::size_t space = rest.find(' ');
    const std::string_view word = rest.substr(0, space);
    const std::size_t equals = word.find('=');
    if (equals != std::string_view::npos) {
      out.push_back({std::string(word.substr(0, equals)), std::string(word.substr(equals + 1))});
    } else {
      if (!event.empty()) event += ' ';
      event += word;
    }
    rest = space == std::string_view::npos ? std::string_view{} : rest.substr(space + 1);
  }
  out.push_back({"event", event});
}

std::string_view key_of(const RequestBody& body) {
  if (const auto* put = std::get_if<PutRequest>(&body)) return as_text(put->key);
  if (const auto* get = std::get_if<GetRequest>(&body)) return as_text(get->key);
  if (const auto* del = std::get_if<DeleteRequest>(&body)) return as_text(del->key);
  if (const auto* list = std::get_if<ListRequest>(&body)) return as_text(list->prefix);
  if (const auto* stage = std::get_if<StageRequest>(&body)) return as_text(stage->key);
  return {};
}

}  // namespace statefs::sim
