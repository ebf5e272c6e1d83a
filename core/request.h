// REQUEST: what a peer asks for, as values, and their one encoding.
//
//   frame.h -> REQUEST -> key.h, policy.h -> store.h -> response.h
//
// Views point into the bytes that were decoded and live as long as those. Decoding accepts one encoding of each
// value: reserved bytes are zero, unused fields are zero, sizes add up to the body exactly. So decode then encode
// gives the same bytes. Layout: docs/PROTOCOL.md.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>

#include "core/bytes.h"
#include "core/frame.h"
#include "core/result.h"

namespace statefs {

enum class Op : std::uint8_t {
  put = 1, get = 2, del = 3, list = 4, sync = 5,
  hello = 16, open = 17, resume = 18, close = 19, outcome = 20, stage = 21,
};

// Bits of HELLO's `features`.
inline constexpr std::uint64_t feature_sessions = 1;
inline constexpr std::uint64_t feature_staging = 2;

using StoreId = std::array<std::uint8_t, 16>;
using SessionInstance = std::array<std::uint8_t, 16>;

// A durable audit head: the index of a record and the hash of the chain up to and with it. Index 0: none yet.
struct AuditHead {
  std::uint64_t index = 0;
  Digest hash{};
  friend bool operator==(const AuditHead&, const AuditHead&) = default;
};

// Where a mutation stands in a session. Session 0 is no session, and then all four are zero.
struct SlotRef {
  std::uint64_t session = 0;
  std::uint64_t sequence = 0;
  std::uint32_t generation = 0;
  std::uint16_t slot = 0;
  friend bool operator==(const SlotRef&, const SlotRef&) = default;
};

// The value of a PUT that commits a stage instead of carrying bytes; 48 bytes on the wire.
struct StageCommit {
  std::uint64_t stage = 0;
  std::uint64_t total_size = 0;
  Digest digest{};  // SHA-256 of the whole value
  friend bool operator==(const StageCommit&, const StageCommit&) = default;
};

struct PutRequest {
  SlotRef at;
  std::optional<std::uint64_t> expected_revision;  // 0: the key must not exist
  ByteView key;                                    // as sent: not yet checked, up to 65,535 bytes
  std::uint32_t value_size = 0;                    // as declared; over the limit `value` is empty. Encoding takes value.size()
  ByteView value;
  std::optional<StageCommit> stage;                // then value_size is 48 and `value` its encoding; encoding takes this
};
struct GetRequest {
  std::optional<std::uint64_t> revision;  // the range must be of this revision
  std::uint64_t offset = 0;
  std::uint32_t length = 0;               // most bytes wanted; the answer may be shorter. 0: revision and size only
  ByteView key;
};
struct DeleteRequest {
  SlotRef at;
  std::optional<std::uint64_t> expected_revision;
  ByteView key;
};
struct ListRequest {
  std::uint16_t limit = 0;  // 0 or above limits::list_entries_max: the maximum
  ByteView prefix;
  ByteView cursor;          // the last key of the page before; empty: from the start
};
struct SyncRequest {
  std::uint64_t epoch = 0;
};
struct HelloRequest {
  std::uint16_t version = 0;
  std::uint64_t features = 0;
  StoreId store{};          // zeros: the client knows none
  std::uint64_t epoch = 0;
  AuditHead head;           // the last durable head this client saw
};
struct OpenRequest {
  SessionInstance instance{};
  std::uint32_t generation = 0;
};
struct ResumeRequest {
  SessionInstance instance{};
  std::uint32_t generation = 0;
};
struct CloseRequest {
  std::uint64_t session = 0;
  std::uint32_t generation = 0;
};
struct OutcomeRequest {
  SessionInstance instance{};
  std::uint64_t sequence = 0;
  std::uint16_t slot = 0;
};
struct StageRequest {
  std::uint64_t stage = 0;       // chosen by the client, unique among its stages
  std::uint64_t total_size = 0;
  std::uint64_t offset = 0;      // the chunk ends at or before total_size, or the request is malformed
  ByteView key;
  std::uint32_t chunk_size = 0;  // as declared; over the limit `chunk` is empty. Encoding takes chunk.size()
  ByteView chunk;
};

using RequestBody = std::variant<PutRequest, GetRequest, DeleteRequest, ListRequest, SyncRequest, HelloRequest, OpenRequest,
                                 ResumeRequest, CloseRequest, OutcomeRequest, StageRequest>;
struct Request {
  std::uint64_t id = 0;
  RequestBody body{std::in_place_type<SyncRequest>};  // the smallest, until it is decoded into
};

[[nodiscard]] Op op_of(const RequestBody& body);

enum class RequestError {
  incomplete,   // more bytes of the body are needed; not an error of the peer
  unknown_op,   // answered UNSUPPORTED: the frame is skipped, the connection stays
  malformed,    // answered MALFORMED; the connection closes
};

// Decodes the request of which `body` holds the first bytes (all header.body_size of them, or fewer). A PUT or STAGE
// whose declared value or chunk is over its limit is decoded as soon as its key is there, with the value left out;
// the caller skips the rest of the body. What the fixed part shows to be malformed is so without waiting for the rest,
// and the answer never changes as more bytes come. Nothing is allocated.
[[nodiscard]] Result<Request, RequestError> decode_request(const FrameHeader& header, ByteView body);

// Whether the request can be encoded at all: the body fits a frame, keys have a size of two bytes. What a server
// makes of it is another matter.
[[nodiscard]] bool fits_frame(const RequestBody& body);

// Appends header and body. The request fits a frame, keeps the rules of SlotRef, and a chunk ends inside total_size.
void encode_request(const Request& request, Bytes& out);

}  // namespace statefs
