#include "core/upload.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "core/crypto.h"

namespace statefs {

std::uint64_t UploadPlan::stage() const {
  Sha256 sha;
  sha.begin();
  std::array<std::uint8_t, 8> size{};
  store_le<std::uint64_t>(size.data(), total_size);
  sha.update(size);
  sha.update(digest);
  sha.update(as_bytes(key));
  return load_le<std::uint64_t>(sha.finish().data());
}

Upload::Upload(UploadPlan plan, std::size_t in_flight_max, std::size_t chunk_size)
    : plan_(std::move(plan)), in_flight_max_(in_flight_max), chunk_size_(chunk_size) {
  STATEFS_CHECK(in_flight_max >= 1 && chunk_size >= 1 && chunk_size <= limits::chunk_size_max);
}

void Upload::ask(const SubmitCall& submit, const RequestBody& request) {
  const auto call = submit(request);
  if (!call) {
    // A queue that is full has room again when something is completed; what fits no frame never will.
    if (call.error() == SubmitError::too_large) finish(CallResult::answered, Status::key_too_long);
    return;
  }
  if (std::holds_alternative<PutRequest>(request)) {
    commit_ = call.value();
    committing_ = true;
  } else {
    chunks_.insert(call.value());
  }
}

void Upload::stage(const SubmitCall& submit, std::uint64_t offset, ByteView chunk) {
  StageRequest request;
  request.stage = plan_.stage();
  request.total_size = plan_.total_size;
  request.offset = offset;
  request.key = as_bytes(plan_.key);
  request.chunk_size = static_cast<std::uint32_t>(chunk.size());
  request.chunk = chunk;
  ask(submit, request);
}

void Upload::step(const SubmitCall& submit, ValueSource& source, Now now) {
  if (phase_ == Phase::done || (wait_until_ != never && now.monotonic < wait_until_)) return;
  wait_until_ = never;
  if (phase_ == Phase::asking) {
    if (chunks_.empty()) stage(submit, 0, {});
    return;
  }
  if (phase_ == Phase::committing) {
    if (committing_) return;
    PutRequest put;
    put.key = as_bytes(plan_.key);
    put.expected_revision = plan_.expected_revision;
    put.stage = StageCommit{plan_.stage(), plan_.total_size, plan_.digest};
    return ask(submit, put);
  }
  while (phase_ == Phase::staging && next_ < plan_.total_size && chunks_.size() < in_flight_max_) {
    buffer_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(chunk_size_, plan_.total_size - next_)));
    if (!source.read(next_, buffer_)) {
      source_failed_ = true;
      return finish(CallResult::timed_out, Status::ok);
    }
    const std::size_t before = chunks_.size();
    stage(submit, next_, buffer_);
    if (chunks_.size() == before) return;
    next_ += buffer_.size();
  }
}

bool Upload::take(const Completion& completion, Now now) {
  if (committing_ && completion.call == commit_) {
    committing_ = false;
    take_commit(completion, now);
    return true;
  }
  if (chunks_.erase(completion.call) == 0) return false;
  if (phase_ != Phase::done) take_chunk(completion, now);
  return true;
}

void Upload::take_chunk(const Completion& completion, Now now) {
  if (completion.result != CallResult::answered) return finish(completion.result, Status::ok);
  const auto* const answer = std::get_if<StageResponse>(&completion.response.body);
  const Status status = completion.response.status;
  if (answer == nullptr) return finish(CallResult::answered, status == Status::ok ? Status::malformed : status);
  if (status == Status::stage_missing || status == Status::overloaded) return restart(status, answer->retry_after_ms, now);
  if (status != Status::ok) return finish(CallResult::answered, status);
  if (answer->staged_size > plan_.total_size) return finish(CallResult::answered, Status::malformed);
  // Answers may come in another order than the chunks; the stage only grows.
  staged_size_ = std::max(staged_size_, answer->staged_size);
  if (staged_size_ > most_staged_) {
    most_staged_ = staged_size_;
    restarts_ = 0;
  }
  if (phase_ == Phase::asking) next_ = staged_size_;
  if (phase_ != Phase::committing) phase_ = staged_size_ == plan_.total_size ? Phase::committing : Phase::staging;
  // All of it was taken, it was said, and yet the stage does not hold it.
  if (phase_ == Phase::staging && chunks_.empty() && next_ == plan_.total_size) restart(Status::stage_missing, 0, now);
}

void Upload::take_commit(const Completion& completion, Now now) {
  const auto* const answer = std::get_if<MutationResponse>(&completion.response.body);
  if (answer != nullptr) answer_ = *answer;
  const Status status = completion.response.status;
  if (completion.result == CallResult::answered && status == Status::stage_missing) return restart(status, 0, now);
  // Put off, it was not executed, and its stage is there as before.
  const bool is_put_off = completion.result == CallResult::answered && status == Status::overloaded;
  if (is_put_off && ++restarts_ <= 4 * limits::transfer_restarts_max) {
    wait_until_ = now.monotonic + milliseconds(retry_after_ms_of(completion.response));
    return;
  }
  finish(completion.result, completion.result == CallResult::answered && answer == nullptr && status == Status::ok ? Status::malformed : status);
}

// The stage is not as it was thought to be: what is on its way is of no use, and it is asked again how far it is.
void Upload::restart(Status why, std::uint32_t wait_ms, Now now) {
  // For room it waits until stages that nobody goes on with have given way.
  const std::size_t most = why == Status::overloaded ? 4 * limits::transfer_restarts_max : limits::transfer_restarts_max;
  if (++restarts_ > most) return finish(CallResult::answered, why);
  chunks_.clear();
  staged_size_ = next_ = 0;
  phase_ = Phase::asking;
  wait_until_ = now.monotonic + milliseconds(wait_ms);
}

void Upload::finish(CallResult result, Status status) {
  phase_ = Phase::done;
  result_ = result;
  status_ = status;
}

}  // namespace statefs
