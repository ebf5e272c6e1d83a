// UPLOAD: puts one large value through a client: chunks into a stage, several at a time, then the PUT that commits it.
//
//   ValueSource (bytes by offset) -> UPLOAD -> client.h (STAGE, PUT) -> take(completion)
//
// docs/PROTOCOL.md section 8. It asks first how far the stage is, so what an earlier upload of the same value left is not sent
// again; a stream that breaks costs what was in flight. A stage that the server has lost is staged again, as often as
// limits::transfer_restarts_max. The PUT is a mutation like any other: it runs at most once, and can be lost with an unsynced
// suffix under the number commit_call(). It holds no bytes: those in flight are copied by the client.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>

#include "core/bytes.h"
#include "core/calls.h"
#include "core/limits.h"
#include "core/request.h"
#include "core/response.h"
#include "core/result.h"
#include "core/time.h"

namespace statefs {

// How a call is handed to a client; it copies what the request points to.
using SubmitCall = std::function<Result<CallId, SubmitError>(const RequestBody& request)>;

// Where the bytes of a value are. The same offset gives the same bytes for as long as it is used.
class ValueSource {
 public:
  virtual ~ValueSource() = default;
  // Fills `into` from `offset` on; false where that cannot be done any more.
  [[nodiscard]] virtual bool read(std::uint64_t offset, std::span<std::uint8_t> into) = 0;
};

struct UploadPlan {
  std::string key;
  std::uint64_t total_size = 0;
  Digest digest{};  // SHA-256 of the whole value
  std::optional<std::uint64_t> expected_revision;

  // Names its stage. The same key and value have the same number, so that an upload that was given up is gone on with.
  [[nodiscard]] std::uint64_t stage() const;
};

class Upload {
 public:
  // `in_flight_max` chunks are on their way at once, each up to `chunk_size`.
  explicit Upload(UploadPlan plan, std::size_t in_flight_max = limits::chunks_in_flight_max,
         std::size_t chunk_size = limits::chunk_size_max);

  // Submits what can be submitted now, each with a deadline of the caller's choice.
  void step(const SubmitCall& submit, ValueSource& source, Now now);
  // Takes a completion of its own; false: it is of somebody else.
  bool take(const Completion& completion, Now now);
  // When step() has something to do though nothing was completed; `never` where it has not.
  [[nodiscard]] Time deadline() const { return wait_until_; }

  [[nodiscard]] bool done() const { return phase_ == Phase::done; }
  // How it ended: as the PUT did, or as the chunk that was refused.
  [[nodiscard]] CallResult result() const { return result_; }
  [[nodiscard]] Status status() const { return status_; }
  [[nodiscard]] const MutationResponse& answer() const { return answer_; }  // of the PUT
  [[nodiscard]] CallId commit_call() const { return commit_; }             // 0: none was made
  [[nodiscard]] bool source_failed() const { return source_failed_; }
  [[nodiscard]] std::uint64_t staged_size() const { return staged_size_; }  // as far as the server has said

 private:
  enum class Phase : std::uint8_t { asking, staging, committing, done };

  void stage(const SubmitCall& submit, std::uint64_t offset, ByteView chunk);
  void ask(const SubmitCall& submit, const RequestBody& request);
  void take_chunk(const Completion& completion, Now now);
  void take_commit(const Completion& completion, Now now);
  void restart(Status why, std::uint32_t wait_ms, Now now);
  void finish(CallResult result, Status status);

  UploadPlan plan_;
  std::size_t in_flight_max_;
  std::size_t chunk_size_;
  Phase phase_ = Phase::asking;
  std::set<CallId> chunks_;       // in flight and still of use
  CallId commit_ = 0;
  bool committing_ = false;       // it is in flight
  std::uint64_t next_ = 0;        // offset of the next chunk
  std::uint64_t staged_size_ = 0;
  std::size_t restarts_ = 0;      // without progress in between
  std::uint64_t most_staged_ = 0;
  Time wait_until_ = never;
  Bytes buffer_;                  // one chunk, while it is read
  CallResult result_ = CallResult::answered;
  Status status_ = Status::ok;
  MutationResponse answer_;
  bool source_failed_ = false;
};

}  // namespace statefs
