// RESPONSE: what a server answers, as values, and their one encoding. One decoder serves every status.
//
//   store.h -> RESPONSE -> frame.h -> channel.h
//
// The body's layout depends on the op alone, with two exceptions that have no body at all: MALFORMED and UNSUPPORTED.
// Where the status is not OK, fields that have no meaning are zero. Layout: docs/PROTOCOL.md.
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "core/bytes.h"
#include "core/frame.h"
#include "core/request.h"
#include "core/result.h"

namespace statefs {

enum class Status : std::uint16_t {
  ok = 0, not_found = 1, access_denied = 2, value_too_large = 3, key_too_long = 4, invalid_key = 5, malformed = 6,
  io_error = 7, unsupported = 8,
  // Only a remote caller can meet these.
  revision_conflict = 32, revision_changed = 33, epoch_changed = 34, stage_missing = 35, in_progress = 36,
  false_retry = 37, sequence_old = 38, sequence_gap = 39, session_unknown = 40, fenced = 41, session_limit = 42,
  overloaded = 43, audit_unavailable = 44, no_space = 45, quota_exceeded = 46, digest_mismatch = 47,
};

// `OK`, `ACCESS_DENIED`, ... as in docs/PROTOCOL.md; empty for a number that is no status.
[[nodiscard]] std::string_view name_of(Status status);
[[nodiscard]] bool is_status(std::uint16_t number);

struct MutationResponse {     // PUT, DELETE
  bool replayed = false;
  std::uint64_t index = 0;    // of the audit record; 0 where none was made
  std::uint64_t revision = 0; // PUT: the new one; REVISION_CONFLICT: the present one, 0 where the key is absent
  std::uint32_t retry_after_ms = 0;
  AuditHead head;
};
struct GetResponse {
  std::uint64_t revision = 0;
  std::uint64_t total_size = 0;
  std::uint32_t retry_after_ms = 0;
  ByteView data;
};
struct ListEntry {
  std::uint64_t revision = 0;
  std::uint64_t size = 0;
  ByteView key;
};
struct ListResponse {
  bool has_more = false;
  std::uint32_t retry_after_ms = 0;
  std::vector<ListEntry> entries;
};
struct SyncResponse {
  std::uint64_t epoch = 0;
  std::uint64_t durable_index = 0;
  std::uint32_t retry_after_ms = 0;
  AuditHead head;
};
enum class HeadComparison : std::uint8_t { none = 0, same = 1, differs = 2, trimmed = 3 };
struct HelloResponse {
  std::uint16_t version = 0;
  HeadComparison comparison = HeadComparison::none;
  std::uint64_t features = 0;
  std::uint32_t key_size_max = 0;
  std::uint32_t value_size_max = 0;
  std::uint64_t total_value_size_max = 0;
  std::uint32_t list_entries_max = 0;
  std::uint32_t slots_per_session = 0;
  std::uint32_t sessions_per_key = 0;
  std::uint32_t keepalive_ms = 0;     // send something at least this often
  StoreId store{};
  std::uint64_t epoch = 0;
  std::uint64_t last_index = 0;
  std::uint64_t durable_index = 0;
  AuditHead head;
};
struct SlotState {
  std::uint64_t sequence = 0;         // last one used; 0: none
  std::uint64_t index = 0;
  std::uint64_t revision = 0;
  Status status = Status::ok;
};
struct SessionResponse {              // OPEN, RESUME, CLOSE
  std::uint64_t session = 0;
  std::uint32_t generation = 0;
  std::uint32_t retry_after_ms = 0;
  std::vector<SlotState> slots;
};
enum class Outcome : std::uint8_t { none = 0, applied = 1, refused = 2, never_executed = 3, pending = 4, beyond_horizon = 5 };
struct OutcomeResponse {
  Outcome outcome = Outcome::none;
  Status recorded = Status::ok;
  std::uint32_t retry_after_ms = 0;
  std::uint64_t index = 0;     // of the audit record
  std::uint64_t revision = 0;  // as answered with it
};
struct StageResponse {
  std::uint64_t staged_size = 0;      // bytes held without a gap from offset 0
  std::uint32_t retry_after_ms = 0;
};
struct EmptyResponse {};              // MALFORMED, UNSUPPORTED

using ResponseBody = std::variant<EmptyResponse, MutationResponse, GetResponse, ListResponse, SyncResponse, HelloResponse,
                                  SessionResponse, OutcomeResponse, StageResponse>;
struct Response {
  std::uint64_t id = 0;
  std::uint8_t op = 0;                // of the request, as it came: also one that this side does not know
  Status status = Status::ok;
  ResponseBody body;
};

// How long an answer says to wait before the same is asked again; 0: it does not.
[[nodiscard]] std::uint32_t retry_after_ms_of(const Response& response);

// The answer that says nothing but a status: the body's layout is the op's, its fields are zero.
// An op that this side does not know can only be answered MALFORMED or UNSUPPORTED.
[[nodiscard]] Response refusal(std::uint64_t id, std::uint8_t op, Status status);

enum class ResponseError { incomplete, malformed };

// `body` holds the first bytes of the body; views in the result point into it.
[[nodiscard]] Result<Response, ResponseError> decode_response(const FrameHeader& header, ByteView body);
// Appends header and body. The body is the one of the op and status; lists are within their limits.
void encode_response(const Response& response, Bytes& out);

}  // namespace statefs
