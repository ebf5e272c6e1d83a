#include "core/request.h"

#include "core/limits.h"

namespace statefs {
namespace {

constexpr std::uint8_t flag_conditional = 1;  // PUT, DELETE
constexpr std::uint8_t flag_staged = 2;       // PUT
constexpr std::uint8_t flag_pinned = 1;       // GET

constexpr std::size_t put_fixed_size = 40;
constexpr std::size_t get_fixed_size = 24;
constexpr std::size_t del_fixed_size = 32;
constexpr std::size_t list_fixed_size = 8;
constexpr std::size_t sync_size = 8;
constexpr std::size_t hello_size = 80;
constexpr std::size_t open_size = 24;
constexpr std::size_t close_size = 16;
constexpr std::size_t outcome_size = 32;
constexpr std::size_t stage_fixed_size = 32;
constexpr std::size_t stage_commit_size = 48;
constexpr std::size_t key_field_max = 0xffff;

// A plain enum rather than an optional error: an optional that was just written in two parts stalls when read as one.
enum class Step { decoded, incomplete, malformed };

// Whether the fixed part of a body can be read. `flags` are those the op knows.
Step check_fixed(const FrameHeader& header, ByteView body, std::uint8_t flags, std::size_t fixed_size) {
  if ((header.flags & ~flags) != 0 || header.body_size < fixed_size) return Step::malformed;
  if (body.size() < fixed_size) return Step::incomplete;
  return Step::decoded;
}

Step check_exact(const FrameHeader& header, ByteView body, std::size_t size) {
  if (header.body_size != size) return Step::malformed;
  return check_fixed(header, body, 0, size);
}

bool well_formed(const SlotRef& at) {
  return at.session != 0 || (at.sequence == 0 && at.generation == 0 && at.slot == 0);
}

// A condition whose flag is not set has no value.
bool take_optional(bool present, std::uint64_t value, std::optional<std::uint64_t>& out) {
  if (present) out = value;
  return present || value == 0;
}

StageCommit load_stage_commit(ByteView value) {
  Reader in(value);
  return {in.u64(), in.u64(), in.array<32>()};  // in braces the order is that of the text
}

Step decode(const FrameHeader& header, ByteView body, PutRequest& out) {
  if (const Step step = check_fixed(header, body, flag_conditional | flag_staged, put_fixed_size); step != Step::decoded) return step;
  Reader in(body.first(put_fixed_size));
  out.at.session = in.u64();
  out.at.sequence = in.u64();
  const std::uint64_t expected = in.u64();
  out.at.generation = in.u32();
  out.value_size = in.u32();
  out.at.slot = in.u16();
  const std::size_t key_size = in.u16();
  const bool reserved_zero = in.u32() == 0;
  const bool staged = (header.flags & flag_staged) != 0;
  if (!reserved_zero || !well_formed(out.at) ||
      !take_optional((header.flags & flag_conditional) != 0, expected, out.expected_revision) ||
      (staged && out.value_size != stage_commit_size) ||
      header.body_size != std::uint64_t{put_fixed_size} + key_size + out.value_size) {
    return Step::malformed;
  }
  if (body.size() < put_fixed_size + key_size) return Step::incomplete;
  out.key = body.subspan(put_fixed_size, key_size);
  if (out.value_size > limits::value_size_max) return Step::decoded;
  if (body.size() < header.body_size) return Step::incomplete;
  out.value = body.subspan(put_fixed_size + key_size);
  if (staged) out.stage = load_stage_commit(out.value);
  return Step::decoded;
}

Step decode(const FrameHeader& header, ByteView body, DeleteRequest& out) {
  if (const Step step = check_fixed(header, body, flag_conditional, del_fixed_size); step != Step::decoded) return step;
  Reader in(body.first(del_fixed_size));
  out.at.session = in.u64();
  out.at.sequence = in.u64();
  const std::uint64_t expected = in.u64();
  out.at.generation = in.u32();
  out.at.slot = in.u16();
  const std::size_t key_size = in.u16();
  if (!well_formed(out.at) ||
      !take_optional((header.flags & flag_conditional) != 0, expected, out.expected_revision) ||
      header.body_size != del_fixed_size + key_size) {
    return Step::malformed;
  }
  if (body.size() < header.body_size) return Step::incomplete;
  out.key = body.subspan(del_fixed_size);
  return Step::decoded;
}

Step decode(const FrameHeader& header, ByteView body, GetRequest& out) {
  if (const Step step = check_fixed(header, body, flag_pinned, get_fixed_size); step != Step::decoded) return step;
  Reader in(body.first(get_fixed_size));
  const std::uint64_t revision = in.u64();
  out.offset = in.u64();
  out.length = in.u32();
  const std::size_t key_size = in.u16();
  const bool reserved_zero = in.u16() == 0;
  if (!reserved_zero || !take_optional((header.flags & flag_pinned) != 0, revision, out.revision) ||
      header.body_size != get_fixed_size + key_size) {
    return Step::malformed;
  }
  if (body.size() < header.body_size) return Step::incomplete;
  out.key = body.subspan(get_fixed_size);
  return Step::decoded;
}

Step decode(const FrameHeader& header, ByteView body, ListRequest& out) {
  if (const Step step = check_fixed(header, body, 0, list_fixed_size); step != Step::decoded) return step;
  Reader in(body.first(list_fixed_size));
  out.limit = in.u16();
  const std::size_t prefix_size = in.u16();
  const std::size_t cursor_size = in.u16();
  const bool reserved_zero = in.u16() == 0;
  if (!reserved_zero || header.body_size != list_fixed_size + prefix_size + cursor_size) return Step::malformed;
  if (body.size() < header.body_size) return Step::incomplete;
  out.prefix = body.subspan(list_fixed_size, prefix_size);
  out.cursor = body.subspan(list_fixed_size + prefix_size);
  return Step::decoded;
}

Step decode(const FrameHeader& header, ByteView body, SyncRequest& out) {
  if (const Step step = check_exact(header, body, sync_size); step != Step::decoded) return step;
  out.epoch = load_le<std::uint64_t>(body.data());
  return Step::decoded;
}

Step decode(const FrameHeader& header, ByteView body, HelloRequest& out) {
  if (const Step step = check_exact(header, body, hello_size); step != Step::decoded) return step;
  Reader in(body);
  out.version = in.u16();
  const bool reserved_zero = (in.u16() | in.u32()) == 0;
  out.features = in.u64();
  out.store = in.array<16>();
  out.epoch = in.u64();
  out.head.index = in.u64();
  out.head.hash = in.array<32>();
  if (!reserved_zero) return Step::malformed;
  return Step::decoded;
}

// OPEN and RESUME have one layout.
template <typename Body>
Step decode_session(const FrameHeader& header, ByteView body, Body& out) {
  if (const Step step = check_exact(header, body, open_size); step != Step::decoded) return step;
  Reader in(body);
  out.instance = in.array<limits::session_instance_size>();
  out.generation = in.u32();
  if (in.u32() != 0) return Step::malformed;
  return Step::decoded;
}
Step decode(const FrameHeader& header, ByteView body, OpenRequest& out) { return decode_session(header, body, out); }
Step decode(const FrameHeader& header, ByteView body, ResumeRequest& out) { return decode_session(header, body, out); }

Step decode(const FrameHeader& header, ByteView body, CloseRequest& out) {
  if (const Step step = check_exact(header, body, close_size); step != Step::decoded) return step;
  Reader in(body);
  out.session = in.u64();
  out.generation = in.u32();
  if (in.u32() != 0) return Step::malformed;
  return Step::decoded;
}

Step decode(const FrameHeader& header, ByteView body, OutcomeRequest& out) {
  if (const Step step = check_exact(header, body, outcome_size); step != Step::decoded) return step;
  Reader in(body);
  out.instance = in.array<limits::session_instance_size>();
  out.sequence = in.u64();
  out.slot = in.u16();
  if ((in.u16() | in.u32()) != 0) return Step::malformed;
  return Step::decoded;
}

bool chunk_inside(std::uint64_t offset, std::uint64_t chunk_size, std::uint64_t total_size) {
  return offset <= total_size && chunk_size <= total_size - offset;
}

Step decode(const FrameHeader& header, ByteView body, StageRequest& out) {
  if (const Step step = check_fixed(header, body, 0, stage_fixed_size); step != Step::decoded) return step;
  Reader in(body.first(stage_fixed_size));
  out.stage = in.u64();
  out.total_size = in.u64();
  out.offset = in.u64();
  out.chunk_size = in.u32();
  const std::size_t key_size = in.u16();
  const bool reserved_zero = in.u16() == 0;
  if (!reserved_zero || !chunk_inside(out.offset, out.chunk_size, out.total_size) ||
      header.body_size != std::uint64_t{stage_fixed_size} + key_size + out.chunk_size) {
    return Step::malformed;
  }
  if (body.size() < stage_fixed_size + key_size) return Step::incomplete;
  out.key = body.subspan(stage_fixed_size, key_size);
  if (out.chunk_size > limits::chunk_size_max) return Step::decoded;
  if (body.size() < header.body_size) return Step::incomplete;
  out.chunk = body.subspan(stage_fixed_size + key_size);
  return Step::decoded;
}

template <typename Body>
Result<Request, RequestError> decode_as(const FrameHeader& header, ByteView body) {
  // Decoded in place: copying a request that was just written field by field costs more than decoding it.
  Result<Request, RequestError> result(std::in_place);
  Request& request = result.value();
  request.id = header.id;
  const Step step = decode(header, body, request.body.emplace<Body>());
  if (step != Step::decoded) result = step == Step::malformed ? RequestError::malformed : RequestError::incomplete;
  return result;
}

// One growth of `out` for header, fixed part and keys; a value is appended after it.
class RequestBlock : public Block {
 public:
  struct Head { std::uint64_t id; Op op; std::uint8_t flags; };
  RequestBlock(const Head& head, std::size_t size, std::size_t value_size, Bytes& out)
      : Block(out, limits::frame_header_size + size) {
    encode_frame_header({static_cast<std::uint32_t>(size + value_size), static_cast<std::uint8_t>(head.op), head.flags, 0, head.id}, *this);
  }
  void key_size(ByteView key) { u16(static_cast<std::uint16_t>(key.size())); }
};

std::uint8_t flag_if(bool set, std::uint8_t flag) { return set ? flag : std::uint8_t{0}; }

void encode(std::uint64_t id, const PutRequest& put, Bytes& out) {
  STATEFS_CHECK(well_formed(put.at));
  const std::size_t value_size = put.stage ? stage_commit_size : put.value.size();
  const auto flags = static_cast<std::uint8_t>(flag_if(put.expected_revision.has_value(), flag_conditional) |
                                               flag_if(put.stage.has_value(), flag_staged));
  {
    RequestBlock block({id, Op::put, flags}, put_fixed_size + put.key.size(), value_size, out);
    block.u64(put.at.session);
    block.u64(put.at.sequence);
    block.u64(put.expected_revision.value_or(0));
    block.u32(put.at.generation);
    block.u32(static_cast<std::uint32_t>(value_size));
    block.u16(put.at.slot);
    block.key_size(put.key);
    block.skip(4);
    block.bytes(put.key);
  }
  if (!put.stage) {
    out.insert(out.end(), put.value.begin(), put.value.end());
    return;
  }
  Block block(out, stage_commit_size);
  block.u64(put.stage->stage);
  block.u64(put.stage->total_size);
  block.bytes(put.stage->digest);
}

void encode(std::uint64_t id, const DeleteRequest& del, Bytes& out) {
  STATEFS_CHECK(well_formed(del.at));
  RequestBlock block({id, Op::del, flag_if(del.expected_revision.has_value(), flag_conditional)},
                     del_fixed_size + del.key.size(), 0, out);
  block.u64(del.at.session);
  block.u64(del.at.sequence);
  block.u64(del.expected_revision.value_or(0));
  block.u32(del.at.generation);
  block.u16(del.at.slot);
  block.key_size(del.key);
  block.bytes(del.key);
}

void encode(std::uint64_t id, const GetRequest& get, Bytes& out) {
  RequestBlock block({id, Op::get, flag_if(get.revision.has_value(), flag_pinned)}, get_fixed_size + get.key.size(), 0, out);
  block.u64(get.revision.value_or(0));
  block.u64(get.offset);
  block.u32(get.length);
  block.key_size(get.key);
  block.skip(2);
  block.bytes(get.key);
}

void encode(std::uint64_t id, const ListRequest& list, Bytes& out) {
  RequestBlock block({id, Op::list, 0}, list_fixed_size + list.prefix.size() + list.cursor.size(), 0, out);
  block.u16(list.limit);
  block.key_size(list.prefix);
  block.key_size(list.cursor);
  block.skip(2);
  block.bytes(list.prefix);
  block.bytes(list.cursor);
}

void encode(std::uint64_t id, const SyncRequest& sync, Bytes& out) {
  RequestBlock block({id, Op::sync, 0}, sync_size, 0, out);
  block.u64(sync.epoch);
}

void encode(std::uint64_t id, const HelloRequest& hello, Bytes& out) {
  RequestBlock block({id, Op::hello, 0}, hello_size, 0, out);
  block.u16(hello.version);
  block.skip(6);
  block.u64(hello.features);
  block.bytes(hello.store);
  block.u64(hello.epoch);
  block.u64(hello.head.index);
  block.bytes(hello.head.hash);
}

void encode_session(std::uint64_t id, Op op, const SessionInstance& instance, std::uint32_t generation, Bytes& out) {
  RequestBlock block({id, op, 0}, open_size, 0, out);
  block.bytes(instance);
  block.u32(generation);
  block.skip(4);
}
void encode(std::uint64_t id, const OpenRequest& at, Bytes& out) { encode_session(id, Op::open, at.instance, at.generation, out); }
void encode(std::uint64_t id, const ResumeRequest& at, Bytes& out) { encode_session(id, Op::resume, at.instance, at.generation, out); }

void encode(std::uint64_t id, const CloseRequest& close, Bytes& out) {
  RequestBlock block({id, Op::close, 0}, close_size, 0, out);
  block.u64(close.session);
  block.u32(close.generation);
  block.skip(4);
}

void encode(std::uint64_t id, const OutcomeRequest& outcome, Bytes& out) {
  RequestBlock block({id, Op::outcome, 0}, outcome_size, 0, out);
  block.bytes(outcome.instance);
  block.u64(outcome.sequence);
  block.u16(outcome.slot);
  block.skip(6);
}

void encode(std::uint64_t id, const StageRequest& stage, Bytes& out) {
  STATEFS_CHECK(chunk_inside(stage.offset, stage.chunk.size(), stage.total_size));
  {
    RequestBlock block({id, Op::stage, 0}, stage_fixed_size + stage.key.size(), stage.chunk.size(), out);
    block.u64(stage.stage);
    block.u64(stage.total_size);
    block.u64(stage.offset);
    block.u32(static_cast<std::uint32_t>(stage.chunk.size()));
    block.key_size(stage.key);
    block.skip(2);
    block.bytes(stage.key);
  }
  out.insert(out.end(), stage.chunk.begin(), stage.chunk.end());
}

}  // namespace

Op op_of(const RequestBody& body) {
  static constexpr std::array<Op, 11> ops{Op::put,  Op::get,    Op::del,   Op::list,    Op::sync, Op::hello,
                                          Op::open, Op::resume, Op::close, Op::outcome, Op::stage};
  static_assert(ops.size() == std::variant_size_v<RequestBody>);
  return ops[body.index()];
}

Result<Request, RequestError> decode_request(const FrameHeader& header, ByteView body) {
  STATEFS_CHECK(body.size() <= header.body_size);
  if (header.status != 0 || (header.op & response_bit) != 0 || header.body_size > limits::frame_body_size_max) {
    return RequestError::malformed;
  }
  switch (static_cast<Op>(header.op)) {
    case Op::put: return decode_as<PutRequest>(header, body);
    case Op::get: return decode_as<GetRequest>(header, body);
    case Op::del: return decode_as<DeleteRequest>(header, body);
    case Op::list: return decode_as<ListRequest>(header, body);
    case Op::sync: return decode_as<SyncRequest>(header, body);
    case Op::hello: return decode_as<HelloRequest>(header, body);
    case Op::open: return decode_as<OpenRequest>(header, body);
    case Op::resume: return decode_as<ResumeRequest>(header, body);
    case Op::close: return decode_as<CloseRequest>(header, body);
    case Op::outcome: return decode_as<OutcomeRequest>(header, body);
    case Op::stage: return decode_as<StageRequest>(header, body);
  }
  return RequestError::unknown_op;
}

bool fits_frame(const RequestBody& body) {
  const auto fits = [](std::size_t fixed_size, ByteView key, std::size_t rest_size) {
    return key.size() <= key_field_max && rest_size <= limits::frame_body_size_max &&
           fixed_size + key.size() + rest_size <= limits::frame_body_size_max;
  };
  if (const auto* put = std::get_if<PutRequest>(&body)) {
    return fits(put_fixed_size, put->key, put->stage ? stage_commit_size : put->value.size());
  }
  if (const auto* get = std::get_if<GetRequest>(&body)) return fits(get_fixed_size, get->key, 0);
  if (const auto* del = std::get_if<DeleteRequest>(&body)) return fits(del_fixed_size, del->key, 0);
  if (const auto* list = std::get_if<ListRequest>(&body)) {
    return list->cursor.size() <= key_field_max && fits(list_fixed_size, list->prefix, list->cursor.size());
  }
  if (const auto* stage = std::get_if<StageRequest>(&body)) return fits(stage_fixed_size, stage->key, stage->chunk.size());
  return true;
}

void encode_request(const Request& request, Bytes& out) {
  STATEFS_CHECK(fits_frame(request.body));
  std::visit([&](const auto& body) { encode(request.id, body, out); }, request.body);
}

}  // namespace statefs
