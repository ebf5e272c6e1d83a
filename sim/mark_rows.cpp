#include "sim/mark_rows.h"

namespace statefs::sim {
namespace {

void add(Row& row, std::string_view name, std::string value) { row.fields.push_back({std::string(name), std::move(value)}); }
void add(Row& row, std::string_view name, std::uint64_t value) { add(row, name, std::to_string(value)); }

void tell_record(ByteView encoded, Row& row) {
  const auto record = decode_audit(encoded);
  if (!record.ok()) return;
  add_fields(record.value(), encoded, row.fields);
  const std::string& event = row.fields.back().value;  // `dsoftbusd: audit remote statefs put allow`
  const std::size_t before_op = event.rfind(' ', event.rfind(' ') - 1);
  row.title += event.substr(before_op == std::string::npos ? 0 : before_op);
  if (!record.value().key.empty()) row.title += ' ' + shown(record.value().key, 64);
  if (record.value().kind == AuditKind::mutation) row.op = op_title(record.value().op);
  row.status = std::string(name_of(record.value().status));
}

// u8 effect, u16 and the key, u32 and the record, the value.
void tell_appended(ByteView payload, Row& row) {
  Reader reader(payload);
  const std::uint8_t effect = reader.u8();
  const ByteView key = reader.take(reader.u16());
  const ByteView record = reader.take(reader.u32());
  if (!reader.ok()) return;
  row.record = row.id;
  row.title = "appended " + std::to_string(row.id);
  add(row, "effect", effect == 0 ? "none" : shown(as_text(key)) + ", value of " + std::to_string(reader.rest().size()) + " bytes");
  tell_record(record, row);
}

void tell_side(Reader& reader, Row& row) {
  const std::uint8_t side = reader.u8();
  if (reader.ok()) add(row, "side", side == 0 ? "connector" : "acceptor");
}

}  // namespace

void tell_mark(const TraceEntry& entry, ByteView payload, Row& row) {
  Reader reader(payload);
  const std::string number = std::to_string(entry.argument);
  if (row.kind == RowKind::stream || entry.kind == TraceKind::tampered) {
    row.stream = static_cast<StreamId>(entry.argument);
    add(row, "stream", number);
    if (!payload.empty()) tell_side(reader, row);
  } else {
    add(row, "argument", number);
  }
  switch (entry.kind) {
    case TraceKind::audit:
      row.record = entry.argument;
      row.title = "record " + number;
      return tell_record(payload, row);
    case TraceKind::appended: return tell_appended(payload, row);
    case TraceKind::durable: row.title = "durable up to " + number; return;
    case TraceKind::store_lost: row.title = "store lost all after " + number; return;
    case TraceKind::store_failed: row.title = "store failed"; return;
    case TraceKind::store_refused: row.title = "store refused, damaged at byte " + number; return;
    case TraceKind::recovered: row.title = "recovered up to " + number; return;
    case TraceKind::rolled_back: row.title = "rollback behind " + number; return;
    case TraceKind::log_fill: row.title = entry.argument != 0 ? "the log may be full" : "the log has room"; return;
    case TraceKind::policy: row.title = "policy " + number; return;
    case TraceKind::node_down:
    case TraceKind::node_up: row.title += ", incarnation " + number; return;
    case TraceKind::lost_write:
      row.title = "call " + number + " lost its write";
      add(row, "record", reader.u64());
      add(row, "certain", reader.u8() == 0 ? "no" : "yes");
      return;
    case TraceKind::fault:
      row.title = "incident: " + std::string(as_text(payload));
      return;
    case TraceKind::tampered:
      add(row, "kind", reader.u8());
      add(row, "offset", reader.u64());
      return;
    case TraceKind::stream_offered:
    case TraceKind::stream_opened:
    case TraceKind::stream_refused:
    case TraceKind::stream_bytes:
    case TraceKind::stream_ended:
    case TraceKind::stream_broken:
    case TraceKind::stream_closed:
    case TraceKind::call:
    case TraceKind::completion:
    case TraceKind::calm:
    case TraceKind::distrusted: return;
  }
}

}  // namespace statefs::sim
