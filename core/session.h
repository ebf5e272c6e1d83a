// SESSION: the server's end of one connection: bytes to requests, answers to bytes, by the state table.
//
//   transport.h, intake.h -> SESSION (session_state.h) -> service.h -> answers.h -> transport.h
//
// A remote peer becomes known by its channel; a local one is known before its first byte. The session holds no more than: an
// incomplete Noise message, an incomplete frame, the input of one receive() while it is stalled, and
// limits::output_size_max of output and one answer, perhaps once held and once sealed. While output is full, or too much waits in
// all (waiting.h), or its peer was refused beyond its rate (peer_rates.h), it reads nothing, and no time of the peer's runs out for it.
#pragma once

#include <memory>
#include <optional>

#include "core/answers.h"
#include "core/intake.h"
#include "core/limits.h"
#include "core/marks.h"
#include "core/output.h"
#include "core/peer_rates.h"
#include "core/service.h"
#include "core/session_state.h"
#include "core/tally.h"
#include "core/time.h"
#include "core/transport.h"

namespace statefs {

struct ServerLimits {
  std::size_t connections_max = limits::connections_max;
  std::size_t connections_per_peer_max = limits::connections_per_peer_max;
  std::size_t half_open_max = limits::half_open_max;
  std::size_t local_connections_max = limits::local_connections_max;  // beside connections_max
  std::size_t local_connections_per_uid_max = limits::local_connections_per_uid_max;
  std::size_t handshakes_per_wakeup = limits::handshakes_per_wakeup;
  std::size_t output_size_max = limits::output_size_max;
  std::size_t waiting_size_per_peer_max = limits::waiting_size_per_peer_max;
  std::size_t waiting_size_max = limits::waiting_size_max;
  std::size_t sessions_per_key = limits::sessions_per_key;  // at most that
  StagingLimits staging;
  Duration handshake_timeout = limits::handshake_timeout;
  Duration keepalive_interval = limits::keepalive_interval;
  Duration dead_peer_timeout = limits::dead_peer_timeout;
  Duration drain_timeout = limits::drain_timeout;
  Duration connection_age_max = limits::connection_age_max;
  PeerRateLimits rates;
  Marks* marks = nullptr;  // outlives the server; null: counted where nobody reads
};

// What a session works with while it runs; all of it the server's.
struct SessionContext {
  Service& service;
  Tally& tally;
  const ServerLimits& limits;
  Bytes& spare_plaintext;
  BufferPool& answer_buffers;
  bool tight = false;  // too much waits (waiting.h): work goes on only while no answer does
};

class Session {
 public:
  // Of a remote peer, from the first handshake byte. `marks` outlives the session.
  Session(Channel channel, Marks& marks, Now now);
  // Of a local one, already admitted: it starts in `greeting`, without a channel.
  Session(const Caller& local, Marks& marks, Now now);

  // Keeps `bytes` and works on nothing yet.
  void hold(ByteView bytes);
  // Works on what is held and on `bytes`, until all is used, output is full, or the peer has just become known:
  // then established() is true, and admit() or refuse() must follow before it works on.
  void receive(ByteView bytes, SessionContext context, Now now);
  void admit(const Caller& caller, Now now);

  // An event from outside: ended, expelled, refused, shut_down, store_failed.
  void apply(SessionEvent event, Now now);
  // The wake-up ends. Answers depend on `index`; those that are free become output.
  void settle(std::uint64_t index, SessionContext context, const StoreStatus& store, Now now);
  // Deadlines and keepalives.
  void advance(SessionContext context, Now now);
  [[nodiscard]] Time deadline(const ServerLimits& limits) const;

  [[nodiscard]] ByteView output() const { return output_.view(); }
  void output_taken(std::size_t count, Now now);

  [[nodiscard]] SessionState state() const { return state_; }
  [[nodiscard]] bool in_handshake() const;
  [[nodiscard]] bool established() const { return established_; }
  [[nodiscard]] const PublicKey& peer_key() const { return transport_.peer(); }  // of a remote one, once established()
  [[nodiscard]] const Caller& caller() const { return caller_; }
  void recall(const Caller& caller) { caller_ = caller; }       // after a reload of the policy
  [[nodiscard]] bool stalled() const { return reading() && stalled_; }
  [[nodiscard]] bool pressed() const { return stalled() && pressed_; }  // since it was tight (SessionContext)
  [[nodiscard]] bool can_work(const ServerLimits& limits, bool tight, Now now) const;  // it was stalled, and need not be any more
  // Where it is stalled and its peer's rate is all that holds it back now, whatever did before: from here on deadline() ends that.
  void rest_if_due(const ServerLimits& limits, bool tight, Now now);
  [[nodiscard]] bool wants_input() const;
  [[nodiscard]] bool waits_for_store() const { return !answers_.empty(); }
  [[nodiscard]] bool mid_message() const { return transport_.mid_message() || intake_.held_size() > 0; }
  [[nodiscard]] std::size_t buffered_size() const;
  // Of answers, held or sealed, and of input that was not worked on for want of room or of rate.
  [[nodiscard]] std::size_t waiting_size() const { return answers_.size() + output_.size() + input_.size(); }

 private:
  void work(ByteView& bytes, SessionContext context, Now now);
  // False where nothing more can be done now.
  bool work_on_frames(SessionContext context, Now now);
  bool open_message(ByteView& bytes, SessionContext context, Now now);
  void take(Intake::Item item, SessionContext context, Now now);
  void act(SessionAction action, SessionContext context, Now now);
  void mark_overdue() const;
  [[nodiscard]] bool output_full(const ServerLimits& limits, bool tight) const;
  [[nodiscard]] bool resting(Now now) const { return caller_.rate != nullptr && !caller_.rate->may_read(now.monotonic); }
  [[nodiscard]] bool reading() const;
  [[nodiscard]] Time overdue_at(const ServerLimits& limits) const;  // or when a keepalive is due

  SessionState state_ = SessionState::awaiting_message_1;
  bool established_ = false;  // the peer is known and not yet admitted
  bool stalled_ = false;      // frames or input wait for room in the output, or
  bool rests_ = false;        // for the peer's rate of refusals, or
  bool pressed_ = false;      // for what waits elsewhere
  Marks& marks_;
  Transport transport_;
  Intake intake_;
  Answers answers_;
  Caller caller_;
  Bytes input_;               // stream bytes not yet worked on
  Output output_;
  Time accepted_;
  Time begun_;                // accepted, or read again in `greeting`: from then on HELLO is due
  Time received_;             // last bytes in; while nothing is read, the time that this began to hold
  Time sent_;                 // last output made
  Time progress_;             // output was empty, or some of it was taken
  Time draining_since_;
};

}  // namespace statefs
