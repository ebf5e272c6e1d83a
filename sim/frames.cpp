#include "sim/frames.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "sim/wire.h"

namespace statefs::sim {
namespace {

// A record on its way: any part of it may be missing.
struct Record {
  const TapEntry* sealed = nullptr;
  const TapEntry* opened = nullptr;  // or refused
  const WireMessage* wire = nullptr;
  std::size_t order = 0;
};

class Sent {
 public:
  Sent(const Trace& trace, const Tap& tap)
      : trace_(trace), tap_(tap), messages_(wire_messages_of(trace)), streams_(stream_nodes_of(trace)) {}

  std::vector<Row> rows() {
    pair();
    find_streams();
    for (const auto& [cipher, records] : senders_) add_records(records);
    add_strangers();
    return std::move(rows_);
  }

 private:
  void pair();
  void find_streams();
  [[nodiscard]] std::optional<StreamId> stream_of(const Record& record) const;
  [[nodiscard]] Row row_of(const Record& first, const Record& last, RowKind kind) const;
  void set_ends(Row& row, const Record& first, const Record& last) const;
  void add_records(const std::vector<Record>& records);
  void add_frames(const std::vector<Record>& records, const std::vector<std::size_t>& ends, ByteView plaintext);
  void add_strangers();

  const Trace& trace_;
  const Tap& tap_;
  std::vector<WireMessage> messages_;
  std::vector<StreamNodes> streams_;
  std::map<Tag, const TapEntry*> opened_;
  std::map<Tag, const WireMessage*> wire_;
  std::map<std::uint32_t, std::vector<Record>> senders_;   // by cipher
  std::map<std::uint32_t, StreamId> stream_of_cipher_;
  std::vector<const WireMessage*> strangers_;              // that nobody here sealed, or not so
  std::vector<Row> rows_;
};

void Sent::pair() {
  std::set<Tag> sealed;
  for (const TapEntry& entry : tap_.entries()) {
    if (entry.kind == TapKind::sealed) sealed.insert(entry.tag);
    // A record that was refused somewhere and opened elsewhere was opened.
    if (entry.kind == TapKind::opened) opened_[entry.tag] = &entry;
    if (entry.kind == TapKind::refused) opened_.emplace(entry.tag, &entry);
  }
  for (const WireMessage& message : messages_) {
    const bool is_known = message.tag && sealed.contains(*message.tag);
    // A copy of a record that came before is a stranger: it was replayed.
    if (!is_known || !wire_.emplace(*message.tag, &message).second) strangers_.push_back(&message);
  }
  for (std::size_t i = 0; i < tap_.entries().size(); ++i) {
    const TapEntry& entry = tap_.entries()[i];
    if (entry.kind != TapKind::sealed) continue;
    Record record{&entry, nullptr, nullptr, i};
    if (const auto found = opened_.find(entry.tag); found != opened_.end()) record.opened = found->second;
    if (const auto found = wire_.find(entry.tag); found != wire_.end()) record.wire = found->second;
    senders_[entry.cipher].push_back(record);
  }
}

// By what arrived. The two transport ciphers of one end are made one after the other, and no transport cipher of
// another channel comes next to them, because a handshake ends with a cipher of its own before.
void Sent::find_streams() {
  for (const auto& [cipher, records] : senders_) {
    for (const Record& record : records) {
      if (record.wire == nullptr) continue;
      stream_of_cipher_.emplace(cipher, record.wire->stream);
      if (record.opened != nullptr) stream_of_cipher_.emplace(record.opened->cipher, record.wire->stream);
    }
  }
  for (const auto& [cipher, records] : senders_) {
    if (stream_of_cipher_.contains(cipher) || records.front().sealed->is_handshake) continue;
    for (const std::uint32_t sibling : {cipher + 1, cipher - 1}) {
      if (const auto found = stream_of_cipher_.find(sibling); found != stream_of_cipher_.end() && !stream_of_cipher_.contains(cipher)) {
        stream_of_cipher_.emplace(cipher, found->second);
      }
    }
  }
}

std::optional<StreamId> Sent::stream_of(const Record& record) const {
  if (record.wire != nullptr) return record.wire->stream;
  if (const auto found = stream_of_cipher_.find(record.sealed->cipher); found != stream_of_cipher_.end()) return found->second;
  // A connector works on one stream, the last that opened.
  std::optional<StreamId> last;
  for (std::size_t at = record.sealed->place; at-- > 0 && !last;) {
    const TraceEntry& entry = trace_.entries()[at];
    if (entry.kind == TraceKind::stream_opened && entry.node == record.sealed->node) last = static_cast<StreamId>(entry.argument);
  }
  return last;
}

// Who sent it and who it was for, as far as anything tells.
void Sent::set_ends(Row& row, const Record& first, const Record& last) const {
  row.node = first.sealed->node;
  if (last.opened != nullptr) row.to = last.opened->node;
  if (row.to == no_node && last.wire != nullptr) row.to = last.wire->to;
  if (!row.stream || *row.stream >= streams_.size()) return;
  const StreamNodes& nodes = streams_[*row.stream];
  const auto opposite = [&nodes](NodeId node) { return node == nodes.acceptor ? nodes.connector : nodes.acceptor; };
  if (row.to == no_node && row.node != no_node) row.to = opposite(row.node);
  if (row.node == no_node && row.to != no_node) row.node = opposite(row.to);
}

Row Sent::row_of(const Record& first, const Record& last, RowKind kind) const {
  Row row;
  row.kind = kind;
  row.stream = stream_of(first);
  set_ends(row, first, last);
  row.start = first.sealed->time;
  row.place = first.sealed->place;
  row.order = first.order;
  if (last.wire != nullptr) row.arrived = last.wire->last_arrival;
  if (last.opened != nullptr) row.end = last.opened->time;
  if (last.opened != nullptr) {
    row.fate = last.opened->kind == TapKind::opened ? "opened" : "refused: its tag did not match";
  } else if (last.wire != nullptr) {
    row.fate = "arrived, was not opened";
  } else {
    row.fate = trace_.wire().empty() ? "was not opened" : "did not arrive";
  }
  return row;
}

void Sent::add_records(const std::vector<Record>& records) {
  Bytes plaintext;
  std::vector<Record> carriers;
  std::vector<std::size_t> ends;  // of each carrier in the plaintext
  for (const Record& record : records) {
    const TapEntry& sealed = *record.sealed;
    // A handshake message ends with the seal of its empty payload.
    if (sealed.is_handshake && sealed.plaintext_size > 0) continue;
    if (sealed.plaintext_size == 0) {
      Row row = row_of(record, record, sealed.is_handshake ? RowKind::handshake : RowKind::keepalive);
      row.title = sealed.is_handshake ? "handshake message" : "keepalive";
      if (record.wire != nullptr) {
        row.size = record.wire->size;
        row.hex = hex_of(record.wire->head);
      }
      rows_.push_back(std::move(row));
      continue;
    }
    const ByteView bytes = tap_.plaintext(sealed);
    plaintext.insert(plaintext.end(), bytes.begin(), bytes.end());
    carriers.push_back(record);
    ends.push_back(plaintext.size());
  }
  add_frames(carriers, ends, plaintext);
}

void fill_request(Row& row, const FrameHeader& header, ByteView body) {
  row.kind = RowKind::request;
  row.title = row.op;
  const auto request = decode_request(header, body);
  if (!request.ok()) {
    row.title += request.error() == RequestError::unknown_op ? " (no op of this version)" : " (malformed)";
    return;
  }
  const std::string_view key = key_of(request.value().body);
  if (!key.empty()) row.title += ' ' + shown(key, 64);
  add_fields(request.value().body, row.fields);
}

void fill_response(Row& row, const FrameHeader& header, ByteView body) {
  row.kind = RowKind::response;
  row.status = is_status(header.status) ? std::string(name_of(static_cast<Status>(header.status))) : std::to_string(header.status);
  row.title = row.op + ' ' + row.status;
  const auto response = decode_response(header, body);
  if (!response.ok()) {
    row.title += " (malformed)";
    return;
  }
  if (const auto* mutation = std::get_if<MutationResponse>(&response.value().body)) row.record = mutation->index;
  add_fields(response.value().body, row.fields);
}

void Sent::add_frames(const std::vector<Record>& records, const std::vector<std::size_t>& ends, ByteView plaintext) {
  const auto carrier_of = [&](std::size_t offset) -> const Record& {
    return records[static_cast<std::size_t>(std::upper_bound(ends.begin(), ends.end(), offset) - ends.begin())];
  };
  for (std::size_t at = 0; at < plaintext.size();) {
    const ByteView rest = plaintext.subspan(at);
    std::optional<FrameHeader> header;
    if (rest.size() >= limits::frame_header_size) {
      if (const auto decoded = decode_frame_header(rest); decoded.ok()) header = decoded.value();
    }
    const bool is_whole = header && rest.size() - limits::frame_header_size >= header->body_size;
    const ByteView frame = is_whole ? rest.first(limits::frame_header_size + header->body_size) : rest;
    Row row = row_of(carrier_of(at), carrier_of(at + frame.size() - 1), RowKind::bytes);
    row.size = frame.size();
    row.hex = hex_of(frame.first(std::min(frame.size(), row_hex_size_max)));
    if (header) {
      row.id = header->id;
      row.op = op_title(static_cast<std::uint8_t>(header->op & ~response_bit));
      add_fields(*header, row.fields);
    }
    if (!is_whole) {
      row.title = std::to_string(frame.size()) + " bytes of no whole frame";
    } else {
      ((header->op & response_bit) == 0 ? fill_request : fill_response)(row, *header, frame.subspan(limits::frame_header_size));
    }
    rows_.push_back(std::move(row));
    at += frame.size();
  }
}

void Sent::add_strangers() {
  for (const WireMessage* message : strangers_) {
    Row row;
    row.kind = RowKind::bytes;
    row.stream = message->stream;
    row.to = message->to;
    if (message->stream < streams_.size()) {
      const StreamNodes& nodes = streams_[message->stream];
      row.node = row.to == nodes.acceptor ? nodes.connector : nodes.acceptor;
    }
    row.start = message->first_arrival;
    row.arrived = message->last_arrival;
    row.place = message->place;
    row.order = tap_.entries().size();
    row.size = message->size;
    row.hex = hex_of(message->head);
    row.title = std::to_string(message->size) + (message->tag ? " bytes that nobody sealed so" : " bytes of no whole message");
    row.fate = "arrived, was not opened";
    if (message->tag && wire_.contains(*message->tag)) row.title = std::to_string(message->size) + " bytes that came before";
    if (const auto found = message->tag ? opened_.find(*message->tag) : opened_.end(); found != opened_.end()) {
      row.end = found->second->time;
      row.fate = found->second->kind == TapKind::opened ? "opened" : "refused: its tag did not match";
    }
    rows_.push_back(std::move(row));
  }
}

}  // namespace

std::vector<Row> rows_sent(const Trace& trace, const Tap& tap) { return Sent(trace, tap).rows(); }

}  // namespace statefs::sim
