#include "core/calls.h"

#include <utility>
#include <vector>

#include "core/check.h"

namespace statefs {

namespace {

CallKind kind_of(Op op) {
  if (op == Op::put || op == Op::del) return CallKind::mutation;
  return op == Op::sync ? CallKind::sync : CallKind::read;
}

// Copies what a request points to into `arena` and points it there.
class Keeper {
 public:
  explicit Keeper(Bytes& arena) : arena_(arena) {}

  template <typename T>
  RequestBody operator()(T request) {
    if constexpr (requires { request.prefix; }) keep({&request.prefix, &request.cursor});
    if constexpr (requires { request.chunk; }) {
      keep({&request.key, &request.chunk});
    } else if constexpr (requires { request.value; }) {
      keep({&request.key, &request.value});
    } else if constexpr (requires { request.key; }) {
      keep({&request.key});
    }
    return request;
  }

 private:
  void keep(std::initializer_list<ByteView*> views) {
    std::size_t size = 0;
    for (const ByteView* view : views) size += view->size();
    arena_.reserve(size);  // so that nothing moves while it is filled
    for (ByteView* view : views) {
      const std::size_t at = arena_.size();
      arena_.insert(arena_.end(), view->begin(), view->end());
      *view = ByteView(arena_).subspan(at, view->size());
    }
  }
  Bytes& arena_;
};

}  // namespace

Result<CallId, SubmitError> Calls::submit(const RequestBody& request, Time deadline, std::uint64_t lost_before) {
  if (calls_.size() + completions_.size() >= limits::client_calls_max) {
    STATEFS_MARK("calls.queue_full");
    return SubmitError::queue_full;
  }
  if (!fits_frame(request)) {
    STATEFS_MARK("calls.too_large");
    return SubmitError::too_large;
  }
  const CallId id = next_++;
  Call& call = calls_[id];
  call.request = std::visit(Keeper(call.bytes), request);
  call.kind = kind_of(op_of(request));
  call.deadline = deadline;
  call.lost_before = lost_before;
  line(call.kind).insert(id);
  if (deadline != never) deadlines_.insert({deadline, id});
  return id;
}

Calls::Call* Calls::find(CallId call) {
  const auto at = calls_.find(call);
  return at == calls_.end() ? nullptr : &at->second;
}

std::optional<CallId> Calls::first_waiting(CallKind kind) const {
  const std::set<CallId>& waiting = lines_[static_cast<std::size_t>(kind)];
  if (waiting.empty()) return std::nullopt;
  return *waiting.begin();
}

void Calls::sent(CallId id) {
  Call& call = calls_.at(id);
  STATEFS_CHECK(!call.sent);
  call.sent = true;
  line(call.kind).erase(id);
  if (call.kind != CallKind::mutation) ++reads_in_flight_;
}

void Calls::send_again(CallId id) {
  Call& call = calls_.at(id);
  take_off(id, call);
  call.sent = false;
  call.question.reset();
  line(call.kind).insert(id);
}

void Calls::take_off(CallId id, const Call& call) {
  if (!call.sent) {
    line(call.kind).erase(id);
  } else if (call.kind != CallKind::mutation) {
    --reads_in_flight_;
  }
}

void Calls::cut() {
  for (auto& [id, call] : calls_) {
    if (!call.sent || call.kind == CallKind::mutation) continue;
    STATEFS_MARK("calls.read_again");
    send_again(id);
  }
}

void Calls::complete(Completion completion) {
  const auto at = calls_.find(completion.call);
  STATEFS_CHECK(at != calls_.end());
  take_off(at->first, at->second);
  if (at->second.deadline != never) deadlines_.erase({at->second.deadline, at->first});
  completion.question = at->second.question;
  calls_.erase(at);
  completions_.push_back(std::move(completion));
}

void Calls::settle(const Fate& fate) {
  const Call* const call = find(fate.call);
  if (call == nullptr) return;
  Completion completion;
  completion.call = fate.call;
  switch (fate.kind) {
    case Fate::Kind::not_executed: return send_again(fate.call);
    case Fate::Kind::unknown: completion.result = CallResult::outcome_unknown; break;
    case Fate::Kind::executed: {
      MutationResponse answer;
      answer.replayed = true;
      answer.index = fate.slot.index;
      answer.revision = fate.slot.revision;
      completion.response = {fate.call, static_cast<std::uint8_t>(op_of(call->request)), fate.slot.status, answer};
      break;
    }
  }
  complete(std::move(completion));
}

CallId Calls::next_expired(Time now) const {
  return deadlines_.empty() || deadlines_.begin()->first > now ? 0 : deadlines_.begin()->second;
}

// What was not sent has had no effect, and a read never has one.
void Calls::expire(CallId id) {
  const Call& call = calls_.at(id);
  const bool in_doubt = call.sent && call.kind == CallKind::mutation;
  if (!call.sent) STATEFS_MARK("calls.unsent_expired");
  else if (in_doubt) STATEFS_MARK("calls.mutation_expired");
  else STATEFS_MARK("calls.read_expired");
  complete({id, in_doubt ? CallResult::outcome_unknown : CallResult::timed_out, {}, {}, {}});
}

std::optional<Completion> Calls::take_completion() {
  if (completions_.empty()) return std::nullopt;
  Completion completion = std::move(completions_.front());
  completions_.pop_front();
  return completion;
}

Time Calls::deadline() const { return deadlines_.empty() ? never : deadlines_.begin()->first; }

}  // namespace statefs
