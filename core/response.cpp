#include "core/response.h"

#include <optional>

#include "core/limits.h"

namespace statefs {
namespace {

constexpr std::uint8_t flag_replayed = 1;  // PUT, DELETE

constexpr std::size_t head_size = 40;
constexpr std::size_t mutation_size = 24 + head_size;
constexpr std::size_t get_fixed_size = 24;
constexpr std::size_t list_fixed_size = 8;
constexpr std::size_t list_entry_fixed_size = 18;
constexpr std::size_t sync_size = 24 + head_size;
constexpr std::size_t hello_size = 88 + head_size;
constexpr std::size_t session_fixed_size = 24;
constexpr std::size_t slot_size = 32;
constexpr std::size_t slots_max = (limits::frame_body_size_max - session_fixed_size) / slot_size;
constexpr std::size_t outcome_size = 24;
constexpr std::size_t stage_size = 16;

bool has_no_body(Status status) { return status == Status::malformed || status == Status::unsupported; }

AuditHead take_head(Reader& in) {
  AuditHead head;
  head.index = in.u64();
  head.hash = in.array<32>();
  return head;
}

void put_head(const AuditHead& head, Block& out) {
  out.u64(head.index);
  out.bytes(head.hash);
}

// Each decoder reads a whole body; false is malformed.
bool decode(Status, ByteView body, EmptyResponse&) { return body.empty(); }

bool decode(Status, ByteView body, MutationResponse& out) {
  Reader in(body);
  out.index = in.u64();
  out.revision = in.u64();
  out.head = take_head(in);
  out.retry_after_ms = in.u32();
  return in.u32() == 0 && in.at_end();
}

bool decode(Status status, ByteView body, GetResponse& out) {
  Reader in(body);
  out.revision = in.u64();
  out.total_size = in.u64();
  out.retry_after_ms = in.u32();
  const bool reserved_zero = in.u32() == 0;
  out.data = in.rest();
  const std::size_t data_size_max = status == Status::ok ? limits::value_size_max : 0;
  return in.ok() && reserved_zero && out.data.size() <= data_size_max;
}

bool decode(Status status, ByteView body, ListResponse& out) {
  Reader in(body);
  out.retry_after_ms = in.u32();
  const std::size_t count = in.u16();
  const std::uint8_t has_more = in.u8();
  const bool reserved_zero = in.u8() == 0;
  out.has_more = has_more == 1;
  if (!in.ok() || !reserved_zero || has_more > 1 || count > limits::list_entries_max) return false;
  if (status != Status::ok && (count != 0 || out.has_more)) return false;
  out.entries.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    ListEntry entry;
    entry.revision = in.u64();
    entry.size = in.u64();
    const std::size_t key_size = in.u16();
    if (key_size == 0 || key_size > limits::key_size_max) return false;
    entry.key = in.take(key_size);
    if (!in.ok()) return false;
    out.entries.push_back(entry);
  }
  return in.at_end();
}

bool decode(Status, ByteView body, SyncResponse& out) {
  Reader in(body);
  out.epoch = in.u64();
  out.durable_index = in.u64();
  out.head = take_head(in);
  out.retry_after_ms = in.u32();
  return in.u32() == 0 && in.at_end();
}

bool decode(Status, ByteView body, HelloResponse& out) {
  Reader in(body);
  out.version = in.u16();
  const std::uint8_t comparison = in.u8();
  const bool reserved_zero = (in.u8() | in.u32()) == 0;
  out.features = in.u64();
  out.key_size_max = in.u32();
  out.value_size_max = in.u32();
  out.total_value_size_max = in.u64();
  out.list_entries_max = in.u32();
  out.slots_per_session = in.u32();
  out.sessions_per_key = in.u32();
  out.keepalive_ms = in.u32();
  out.store = in.array<16>();
  out.epoch = in.u64();
  out.last_index = in.u64();
  out.durable_index = in.u64();
  out.head = take_head(in);
  if (!in.at_end() || !reserved_zero || comparison > static_cast<std::uint8_t>(HeadComparison::trimmed)) return false;
  out.comparison = static_cast<HeadComparison>(comparison);
  return true;
}

bool decode(Status status, ByteView body, SessionResponse& out) {
  Reader in(body);
  out.session = in.u64();
  out.generation = in.u32();
  out.retry_after_ms = in.u32();
  const std::size_t count = in.u16();
  const bool reserved_zero = (in.u16() | in.u32()) == 0;
  if (!in.ok() || !reserved_zero || in.rest().size() != count * slot_size) return false;
  if (status != Status::ok && count != 0) return false;
  out.slots.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    SlotState slot;
    slot.sequence = in.u64();
    slot.index = in.u64();
    slot.revision = in.u64();
    const std::uint16_t number = in.u16();
    if ((in.u16() | in.u32()) != 0 || !is_status(number)) return false;
    slot.status = static_cast<Status>(number);
    out.slots.push_back(slot);
  }
  return in.at_end();
}

bool decode(Status, ByteView body, OutcomeResponse& out) {
  Reader in(body);
  const std::uint8_t outcome = in.u8();
  const bool reserved_zero = in.u8() == 0;
  const std::uint16_t recorded = in.u16();
  out.retry_after_ms = in.u32();
  out.index = in.u64();
  out.revision = in.u64();
  if (!in.at_end() || !reserved_zero || !is_status(recorded)) return false;
  if (outcome > static_cast<std::uint8_t>(Outcome::beyond_horizon)) return false;
  out.outcome = static_cast<Outcome>(outcome);
  out.recorded = static_cast<Status>(recorded);
  return true;
}

bool decode(Status, ByteView body, StageResponse& out) {
  Reader in(body);
  out.staged_size = in.u64();
  out.retry_after_ms = in.u32();
  return in.u32() == 0 && in.at_end();
}

// One growth of `out` for the header and all of the body but GET's data.
class ResponseBlock : public Block {
 public:
  ResponseBlock(const Response& response, std::uint8_t flags, std::size_t size, std::size_t data_size, Bytes& out)
      : Block(out, limits::frame_header_size + size) {
    encode_frame_header({static_cast<std::uint32_t>(size + data_size), static_cast<std::uint8_t>(response.op | response_bit),
                         flags, static_cast<std::uint16_t>(response.status), response.id},
                        *this);
  }
};

void encode(const Response& response, const EmptyResponse&, Bytes& out) { ResponseBlock(response, 0, 0, 0, out); }

void encode(const Response& response, const MutationResponse& mutation, Bytes& out) {
  ResponseBlock block(response, mutation.replayed ? flag_replayed : std::uint8_t{0}, mutation_size, 0, out);
  block.u64(mutation.index);
  block.u64(mutation.revision);
  put_head(mutation.head, block);
  block.u32(mutation.retry_after_ms);
  block.skip(4);
}

void encode(const Response& response, const GetResponse& get, Bytes& out) {
  STATEFS_CHECK(get.data.size() <= (response.status == Status::ok ? limits::value_size_max : 0));
  {
    ResponseBlock block(response, 0, get_fixed_size, get.data.size(), out);
    block.u64(get.revision);
    block.u64(get.total_size);
    block.u32(get.retry_after_ms);
    block.skip(4);
  }
  out.insert(out.end(), get.data.begin(), get.data.end());
}

void encode(const Response& response, const ListResponse& list, Bytes& out) {
  STATEFS_CHECK(list.entries.size() <= limits::list_entries_max);
  STATEFS_CHECK(response.status == Status::ok || (list.entries.empty() && !list.has_more));
  std::size_t size = list_fixed_size;
  for (const ListEntry& entry : list.entries) size += list_entry_fixed_size + entry.key.size();
  ResponseBlock block(response, 0, size, 0, out);
  block.u32(list.retry_after_ms);
  block.u16(static_cast<std::uint16_t>(list.entries.size()));
  block.u8(list.has_more ? 1 : 0);
  block.skip(1);
  for (const ListEntry& entry : list.entries) {
    STATEFS_CHECK(!entry.key.empty() && entry.key.size() <= limits::key_size_max);
    block.u64(entry.revision);
    block.u64(entry.size);
    block.u16(static_cast<std::uint16_t>(entry.key.size()));
    block.bytes(entry.key);
  }
}

void encode(const Response& response, const SyncResponse& sync, Bytes& out) {
  ResponseBlock block(response, 0, sync_size, 0, out);
  block.u64(sync.epoch);
  block.u64(sync.durable_index);
  put_head(sync.head, block);
  block.u32(sync.retry_after_ms);
  block.skip(4);
}

void encode(const Response& response, const HelloResponse& hello, Bytes& out) {
  ResponseBlock block(response, 0, hello_size, 0, out);
  block.u16(hello.version);
  block.u8(static_cast<std::uint8_t>(hello.comparison));
  block.skip(5);
  block.u64(hello.features);
  block.u32(hello.key_size_max);
  block.u32(hello.value_size_max);
  block.u64(hello.total_value_size_max);
  block.u32(hello.list_entries_max);
  block.u32(hello.slots_per_session);
  block.u32(hello.sessions_per_key);
  block.u32(hello.keepalive_ms);
  block.bytes(hello.store);
  block.u64(hello.epoch);
  block.u64(hello.last_index);
  block.u64(hello.durable_index);
  put_head(hello.head, block);
}

void encode(const Response& response, const SessionResponse& session, Bytes& out) {
  STATEFS_CHECK(session.slots.size() <= slots_max && (response.status == Status::ok || session.slots.empty()));
  ResponseBlock block(response, 0, session_fixed_size + session.slots.size() * slot_size, 0, out);
  block.u64(session.session);
  block.u32(session.generation);
  block.u32(session.retry_after_ms);
  block.u16(static_cast<std::uint16_t>(session.slots.size()));
  block.skip(6);
  for (const SlotState& slot : session.slots) {
    block.u64(slot.sequence);
    block.u64(slot.index);
    block.u64(slot.revision);
    block.u16(static_cast<std::uint16_t>(slot.status));
    block.skip(6);
  }
}

void encode(const Response& response, const OutcomeResponse& outcome, Bytes& out) {
  ResponseBlock block(response, 0, outcome_size, 0, out);
  block.u8(static_cast<std::uint8_t>(outcome.outcome));
  block.skip(1);
  block.u16(static_cast<std::uint16_t>(outcome.recorded));
  block.u32(outcome.retry_after_ms);
  block.u64(outcome.index);
  block.u64(outcome.revision);
}

void encode(const Response& response, const StageResponse& stage, Bytes& out) {
  ResponseBlock block(response, 0, stage_size, 0, out);
  block.u64(stage.staged_size);
  block.u32(stage.retry_after_ms);
  block.skip(4);
}

// The body an op is answered with; none for an op that is none.
std::optional<ResponseBody> body_of(std::uint8_t op, Status status) {
  if (has_no_body(status)) return EmptyResponse{};
  switch (static_cast<Op>(op)) {
    case Op::put:
    case Op::del: return MutationResponse{};
    case Op::get: return GetResponse{};
    case Op::list: return ListResponse{};
    case Op::sync: return SyncResponse{};
    case Op::hello: return HelloResponse{};
    case Op::open:
    case Op::resume:
    case Op::close: return SessionResponse{};
    case Op::outcome: return OutcomeResponse{};
    case Op::stage: return StageResponse{};
  }
  return std::nullopt;
}

}  // namespace

std::string_view name_of(Status status) {
  switch (status) {
    case Status::ok: return "OK";
    case Status::not_found: return "NOT_FOUND";
    case Status::access_denied: return "ACCESS_DENIED";
    case Status::value_too_large: return "VALUE_TOO_LARGE";
    case Status::key_too_long: return "KEY_TOO_LONG";
    case Status::invalid_key: return "INVALID_KEY";
    case Status::malformed: return "MALFORMED";
    case Status::io_error: return "IO_ERROR";
    case Status::unsupported: return "UNSUPPORTED";
    case Status::revision_conflict: return "REVISION_CONFLICT";
    case Status::revision_changed: return "REVISION_CHANGED";
    case Status::epoch_changed: return "EPOCH_CHANGED";
    case Status::stage_missing: return "STAGE_MISSING";
    case Status::in_progress: return "IN_PROGRESS";
    case Status::false_retry: return "FALSE_RETRY";
    case Status::sequence_old: return "SEQ_OLD";
    case Status::sequence_gap: return "SEQ_GAP";
    case Status::session_unknown: return "SESSION_UNKNOWN";
    case Status::fenced: return "FENCED";
    case Status::session_limit: return "SESSION_LIMIT";
    case Status::overloaded: return "OVERLOADED";
    case Status::audit_unavailable: return "AUDIT_UNAVAILABLE";
    case Status::no_space: return "NO_SPACE";
    case Status::quota_exceeded: return "QUOTA_EXCEEDED";
    case Status::digest_mismatch: return "DIGEST_MISMATCH";
  }
  return {};
}

bool is_status(std::uint16_t number) { return !name_of(static_cast<Status>(number)).empty(); }

std::uint32_t retry_after_ms_of(const Response& response) {
  return std::visit(
      [](const auto& body) -> std::uint32_t {
        if constexpr (requires { body.retry_after_ms; }) return body.retry_after_ms;
        else return 0;
      },
      response.body);
}

Response refusal(std::uint64_t id, std::uint8_t op, Status status) {
  std::optional<ResponseBody> body = body_of(op, status);
  STATEFS_CHECK(body.has_value());
  return {id, op, status, *std::move(body)};
}

Result<Response, ResponseError> decode_response(const FrameHeader& header, ByteView body) {
  STATEFS_CHECK(body.size() <= header.body_size);
  if ((header.op & response_bit) == 0 || !is_status(header.status) || header.body_size > limits::frame_body_size_max) {
    return ResponseError::malformed;
  }
  Response response;
  response.id = header.id;
  response.op = static_cast<std::uint8_t>(header.op & ~response_bit);
  response.status = static_cast<Status>(header.status);
  std::optional<ResponseBody> layout = body_of(response.op, response.status);
  const std::uint8_t flags = layout && std::holds_alternative<MutationResponse>(*layout) ? flag_replayed : std::uint8_t{0};
  if (!layout || (header.flags & ~flags) != 0) return ResponseError::malformed;
  if (body.size() < header.body_size) return ResponseError::incomplete;
  response.body = *std::move(layout);
  const bool decoded = std::visit([&](auto& out) { return decode(response.status, body, out); }, response.body);
  if (!decoded) return ResponseError::malformed;
  if (header.flags == flag_replayed) std::get_if<MutationResponse>(&response.body)->replayed = true;
  return response;
}

void encode_response(const Response& response, Bytes& out) {
  const std::optional<ResponseBody> layout = body_of(response.op, response.status);
  STATEFS_CHECK(layout && layout->index() == response.body.index());
  std::visit([&](const auto& body) { encode(response, body, out); }, response.body);
}

}  // namespace statefs
