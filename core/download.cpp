#include "core/download.h"

#include <algorithm>
#include <utility>

#include "core/check.h"

namespace statefs {

Download::Download(std::string key, std::size_t in_flight_max, std::size_t range_size)
    : key_(std::move(key)), in_flight_max_(in_flight_max), range_size_(range_size) {
  STATEFS_CHECK(in_flight_max >= 1 && range_size >= 1 && range_size <= limits::value_size_max);
}

bool Download::ask(const SubmitCall& submit, std::uint64_t offset) {
  GetRequest request;
  request.key = as_bytes(key_);
  request.offset = offset;
  request.length = static_cast<std::uint32_t>(range_size_);
  if (begun_) request.revision = revision_;
  const auto call = submit(request);
  if (!call) {
    if (call.error() == SubmitError::too_large) finish(CallResult::answered, Status::key_too_long);
    return false;
  }
  ranges_[call.value()] = offset;
  return true;
}

void Download::step(const SubmitCall& submit, Now now) {
  if (done_ || (wait_until_ != never && now.monotonic < wait_until_)) return;
  wait_until_ = never;
  while (!again_.empty()) {
    if (!ask(submit, *again_.begin())) return;
    again_.erase(again_.begin());
  }
  while (!done_ && ranges_.size() + held_.size() < in_flight_max_ && (begun_ ? next_ < total_size_ : ranges_.empty())) {
    if (!ask(submit, next_)) return;
    if (begun_) next_ += range_size_;
  }
}

// It is asked for again; not for ever.
void Download::put_off(std::uint64_t offset, const Response& response, Now now) {
  if (++put_offs_ > 4 * limits::transfer_restarts_max) return finish(CallResult::answered, response.status);
  again_.insert(offset);
  const Time until = now.monotonic + milliseconds(retry_after_ms_of(response));
  wait_until_ = wait_until_ == never ? until : std::max(wait_until_, until);
}

bool Download::take(const Completion& completion, ValueSink& sink, Now now) {
  const auto at = ranges_.find(completion.call);
  if (at == ranges_.end()) return false;
  const std::uint64_t offset = at->second;
  ranges_.erase(at);
  if (done_) return true;
  if (completion.result != CallResult::answered) {
    finish(completion.result, Status::ok);
    return true;
  }
  const Status status = completion.response.status;
  const auto* const answer = std::get_if<GetResponse>(&completion.response.body);
  if (status == Status::revision_changed && restarts_ < limits::transfer_restarts_max) {
    ++restarts_;
    begun_ = false;
    next_ = written_ = 0;
    ranges_.clear();
    held_.clear();
    again_.clear();
  } else if (status == Status::overloaded) {
    put_off(offset, completion.response, now);
  } else if (status != Status::ok || answer == nullptr) {
    finish(CallResult::answered, status == Status::ok ? Status::malformed : status);
  } else if (!begun_) {
    take_first(*answer, sink);
  } else {
    take_range(offset, *answer, sink);
  }
  return true;
}

void Download::take_first(const GetResponse& answer, ValueSink& sink) {
  if (answer.total_size > limits::total_value_size_ceiling) return finish(CallResult::answered, Status::malformed);
  begun_ = true;
  revision_ = answer.revision;
  total_size_ = answer.total_size;
  if (!sink.begin(revision_, total_size_)) {
    sink_failed_ = true;
    return finish(CallResult::answered, Status::ok);
  }
  next_ = range_size_;
  take_range(0, answer, sink);
}

void Download::take_range(std::uint64_t offset, const GetResponse& answer, ValueSink& sink) {
  const std::uint64_t due = std::min<std::uint64_t>(range_size_, total_size_ - std::min(offset, total_size_));
  if (answer.revision != revision_ || answer.total_size != total_size_ || answer.data.size() != due) {
    return finish(CallResult::answered, Status::malformed);
  }
  held_[offset].assign(answer.data.begin(), answer.data.end());
  drain(sink);
}

void Download::drain(ValueSink& sink) {
  for (auto at = held_.find(written_); at != held_.end(); at = held_.find(written_)) {
    const Bytes bytes = std::move(at->second);
    held_.erase(at);
    if (!bytes.empty() && !sink.write(bytes)) {
      sink_failed_ = true;
      return finish(CallResult::answered, Status::ok);
    }
    written_ += bytes.size();
    put_offs_ = 0;
    if (written_ >= total_size_) return finish(CallResult::answered, Status::ok);
  }
}

void Download::finish(CallResult result, Status status) {
  done_ = true;
  result_ = result;
  status_ = status;
  held_.clear();
  again_.clear();
  wait_until_ = never;
}

}  // namespace statefs
