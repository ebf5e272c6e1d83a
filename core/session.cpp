#include "core/session.h"

#include <utility>

#include "core/check.h"

namespace statefs {

namespace {

// Most bytes of answers, held or sealed, that a connection can have: one answer more than it is read with.
std::size_t answers_size_max(const ServerLimits& limits) { return limits.output_size_max + limits::frame_size_max; }

std::size_t sealed_size(std::size_t size) {
  const std::size_t records = (size + limits::record_plaintext_size_max - 1) / limits::record_plaintext_size_max;
  return size + records * (limits::record_length_size + limits::aead_tag_size);
}

}  // namespace

Session::Session(Channel channel, Marks& marks, Now now)
    : marks_(marks),
      transport_(std::move(channel)),
      accepted_(now.monotonic),
      begun_(now.monotonic),
      received_(now.monotonic),
      sent_(now.monotonic),
      progress_(now.monotonic) {}

Session::Session(const Caller& local, Marks& marks, Now now)
    : state_(SessionState::greeting),
      marks_(marks),
      transport_(Transport::plain()),
      caller_(local),
      accepted_(now.monotonic),
      begun_(now.monotonic),
      received_(now.monotonic),
      sent_(now.monotonic),
      progress_(now.monotonic) {}

bool Session::in_handshake() const {
  return state_ == SessionState::awaiting_message_1 || state_ == SessionState::awaiting_message_3;
}

bool Session::reading() const {
  return in_handshake() || state_ == SessionState::greeting || state_ == SessionState::serving;
}

bool Session::output_full(const ServerLimits& limits, bool tight) const {
  return answers_.size() + output_.size() >= (tight ? 1 : limits.output_size_max);
}

bool Session::can_work(const ServerLimits& limits, bool tight, Now now) const {
  return stalled() && !output_full(limits, tight) && !resting(now);
}

void Session::rest_if_due(const ServerLimits& limits, bool tight, Now now) {
  if (!stalled() || output_full(limits, tight) || !resting(now)) return;
  rests_ = true;
  pressed_ = false;
}

bool Session::wants_input() const { return reading() && !established_ && !stalled_ && input_.empty(); }

std::size_t Session::buffered_size() const {
  return transport_.buffered_size() + intake_.capacity() + answers_.capacity() + input_.capacity() + output_.capacity();
}

void Session::hold(ByteView bytes) {
  if (!reading()) return;
  STATEFS_CHECK(input_.size() + bytes.size() <= 2 * limits::receive_size_max);
  input_.insert(input_.end(), bytes.begin(), bytes.end());
}

void Session::receive(ByteView bytes, SessionContext context, Now now) {
  if (input_.empty()) {
    work(bytes, context, now);
    if (reading()) input_.assign(bytes.begin(), bytes.end());
    return;
  }
  hold(bytes);
  const Bytes held = std::exchange(input_, {});  // closing drops input_ while this is worked on
  ByteView rest(held);
  work(rest, context, now);
  if (reading()) input_.assign(rest.begin(), rest.end());
}

void Session::work(ByteView& bytes, SessionContext context, Now now) {
  intake_.borrow(context.spare_plaintext);
  answers_.borrow(context.answer_buffers);
  if (stalled_) {
    STATEFS_MARK("session.ran_again");
    received_ = now.monotonic;  // what came while nothing was read is heard from now on
    if (rests_) begun_ = now.monotonic;
    stalled_ = rests_ = pressed_ = false;
  }
  while (reading() && !established_ && work_on_frames(context, now)) {
    if (bytes.empty() || !open_message(bytes, context, now)) break;
  }
  intake_.give_back(context.spare_plaintext);
}

bool Session::work_on_frames(SessionContext context, Now now) {
  while (reading()) {
    if (output_full(context.limits, context.tight)) {
      STATEFS_MARK("session.stalled");
      stalled_ = true;
      pressed_ = !output_full(context.limits, false);
      if (pressed_) STATEFS_MARK("waiting.tight");
      return false;
    }
    if (resting(now)) {
      STATEFS_MARK("rates.not_read");
      stalled_ = rests_ = true;
      return false;
    }
    const Intake::Item item = intake_.next();
    if (item == Intake::Item::need_more) {
      intake_.compact();
      return true;
    }
    take(item, context, now);
  }
  return false;
}

// Opens one message, or reports that none is complete.
bool Session::open_message(ByteView& bytes, SessionContext context, Now now) {
  const ChannelEvent event = transport_.receive(bytes, intake_.buffer());
  // Only a whole message that authenticates is a sign of life: bytes can come from anybody on the path.
  if (event != ChannelEvent::need_more) received_ = now.monotonic;
  switch (event) {
    case ChannelEvent::need_more: return false;
    case ChannelEvent::plaintext:
    case ChannelEvent::keepalive: return true;
    case ChannelEvent::handshake_step: {
      apply(SessionEvent::message_1, now);
      const Bytes message = transport_.take_handshake_output();
      Bytes& out = output_.room_for(message.size(), message.size());
      out.insert(out.end(), message.begin(), message.end());
      return true;
    }
    case ChannelEvent::established: established_ = true; return false;
    case ChannelEvent::handshake_failed:
      STATEFS_MARK("session.handshake_failed");
      context.tally.count_handshake_failure(HandshakeFailure::bad_message);
      apply(SessionEvent::refused, now);
      return false;
    case ChannelEvent::damaged:
    case ChannelEvent::exhausted:
      STATEFS_MARK("session.damaged");
      context.tally.count_damage(caller_.peer);
      if (caller_.rate != nullptr) caller_.rate->charge_refusals(1, now.monotonic);
      apply(SessionEvent::damaged, now);
      return false;
  }
  STATEFS_CHECK(false);
}

void Session::take(Intake::Item item, SessionContext context, Now now) {
  SessionEvent event = SessionEvent::request;
  if (item == Intake::Item::malformed) {
    event = SessionEvent::malformed;
    STATEFS_MARK("session.malformed");
  } else if (item == Intake::Item::request) {
    if (const auto* hello = std::get_if<HelloRequest>(&intake_.request().body)) {
      event = hello->version == protocol_version ? SessionEvent::hello : SessionEvent::foreign_version;
      if (event == SessionEvent::foreign_version) STATEFS_MARK("session.foreign_version");
    } else if (state_ == SessionState::greeting) {
      STATEFS_MARK("session.before_hello");
    }
  } else if (state_ == SessionState::serving) {
    STATEFS_MARK("session.unknown_op");
    context.service.refuse_frame(intake_.header(), Status::unsupported, caller_, now, answers_.buffer());
    return;
  }
  const SessionStep to = step(state_, event);
  state_ = to.next;
  if (state_ == SessionState::draining) draining_since_ = now.monotonic;
  act(to.action, context, now);
}

void Session::act(SessionAction action, SessionContext context, Now now) {
  const std::size_t start = answers_.size();
  answers_.bound_growth(answers_size_max(context.limits));
  switch (action) {
    case SessionAction::greet:
    case SessionAction::execute:
    case SessionAction::refuse_version:
      if (context.service.execute(intake_.request(), intake_.frame_size(), caller_, now, answers_.buffer()).waits_for_flush) {
        answers_.hold_for_flush(start);
      }
      return;
    case SessionAction::refuse_frame:
      context.service.refuse_frame(intake_.header(), Status::malformed, caller_, now, answers_.buffer());
      return;
    case SessionAction::none: return;
    case SessionAction::send_message_2:
    case SessionAction::start_session:
    case SessionAction::record_damage:
    case SessionAction::drop:
    case SessionAction::bug: break;
  }
  STATEFS_CHECK(false);
}

void Session::admit(const Caller& caller, Now now) {
  STATEFS_CHECK(established_);
  established_ = false;
  caller_ = caller;
  apply(SessionEvent::admitted, now);
  received_ = now.monotonic;
}

void Session::apply(SessionEvent event, Now now) {
  const SessionStep to = step(state_, event);
  STATEFS_CHECK(to.action != SessionAction::bug);
  if (to.next == SessionState::draining && state_ != SessionState::draining) draining_since_ = now.monotonic;
  state_ = to.next;
  if (state_ == SessionState::closed) {
    if (!answers_.empty()) STATEFS_MARK("session.answers_dropped");
    established_ = false;
    answers_.drop();
    output_.drop();
    Bytes().swap(input_);
  }
}

void Session::settle(std::uint64_t index, SessionContext context, const StoreStatus& store, Now now) {
  answers_.settle(index);
  const ByteView ready = answers_.ready(store, context.service);
  if (!ready.empty()) {
    if (output_.empty()) progress_ = now.monotonic;
    if (!transport_.seal(ready, output_.room_for(sealed_size(ready.size()), sealed_size(answers_size_max(context.limits))))) {
      STATEFS_MARK("session.nonces_used_up");
      apply(SessionEvent::expelled, now);  // nothing more can be said
      return;
    }
    answers_.taken(ready.size());
    sent_ = now.monotonic;
  }
  answers_.give_back(context.answer_buffers);
  // Where its rest is over and what waits holds it back, no time that comes ends that.
  if (rests_ && reading()) pressed_ = !resting(now) && output_full(context.limits, context.tight);
  if (state_ == SessionState::draining && answers_.empty() && output_.empty()) apply(SessionEvent::drained, now);
}

void Session::output_taken(std::size_t count, Now now) {
  output_.taken(count);
  progress_ = now.monotonic;
  if (rests_ && output_.empty() && answers_.empty()) pressed_ = false;
  if (output_.empty() && state_ == SessionState::draining && answers_.empty()) apply(SessionEvent::drained, now);
}

void Session::advance(SessionContext context, Now now) {
  const ServerLimits& limits = context.limits;
  if (state_ == SessionState::serving && now.monotonic >= accepted_ + limits.connection_age_max) {
    STATEFS_MARK("session.aged");
    apply(SessionEvent::aged, now);
  }
  const bool quiet = now.monotonic >= sent_ + limits.keepalive_interval && output_.empty();
  if (state_ == SessionState::serving && quiet && transport_.has_keepalives()) {
    STATEFS_MARK("session.keepalive");
    sent_ = now.monotonic;
    progress_ = now.monotonic;
    if (!transport_.seal_keepalive(output_.room_for(sealed_size(1), sealed_size(1)))) return apply(SessionEvent::expelled, now);
  }
  const bool in_time = now.monotonic < overdue_at(limits);
  if (in_time || state_ == SessionState::closed) return;
  if (in_handshake()) context.tally.count_handshake_failure(HandshakeFailure::timed_out);
  mark_overdue();
  apply(SessionEvent::overdue, now);
}

void Session::mark_overdue() const {
  switch (state_) {
    case SessionState::awaiting_message_1:
    case SessionState::awaiting_message_3: STATEFS_MARK("session.handshake_overdue"); return;
    case SessionState::greeting: STATEFS_MARK("session.greeting_overdue"); return;
    case SessionState::serving: STATEFS_MARK("session.peer_dead"); return;
    case SessionState::draining: STATEFS_MARK("session.drain_overdue"); return;
    case SessionState::closed: return;
  }
}

Time Session::deadline(const ServerLimits& limits) const {
  const Time due = overdue_at(limits);
  return rests_ && !pressed_ && reading() ? earlier_of(due, caller_.rate->read_again_at()) : due;
}

Time Session::overdue_at(const ServerLimits& limits) const {
  switch (state_) {
    case SessionState::awaiting_message_1:
    case SessionState::awaiting_message_3: return begun_ + limits.handshake_timeout;
    case SessionState::greeting: return rests_ ? never : begun_ + limits.handshake_timeout;
    case SessionState::draining: return draining_since_ + limits.drain_timeout;
    case SessionState::closed: return never;
    case SessionState::serving: break;
  }
  // A peer is alive while it sends; while we do not read it, while it takes what we send.
  Time due = accepted_ + limits.connection_age_max;
  if (!output_.empty()) {
    due = earlier_of(due, progress_ + limits.dead_peer_timeout);
  } else if (transport_.has_keepalives()) {
    due = earlier_of(due, sent_ + limits.keepalive_interval);
  }
  if (wants_input() && transport_.has_keepalives()) due = earlier_of(due, received_ + limits.dead_peer_timeout);
  return due;
}

}  // namespace statefs
