// CONNECTION: a client's end of one stream after the other: how far it is, what came and is not worked on, what is to go.
//
//   client.h (what is said) <-> CONNECTION (transport.h) <-> stream bytes
//
//   offline --opening--> connecting --opened--> handshake --> greeting --greeted--> ready
//      ^                     |                      |             |                   |
//      +---- ended ----------+----- finished <------+-------------+-------------------+
//
// Frames are put into `said()` and sealed once for each wake-up; `heard()` holds plaintext up to an incomplete frame. After
// finish() nothing is sent or heard: the stream is to be closed.
#pragma once

#include <memory>
#include <optional>

#include "core/bytes.h"
#include "core/crypto.h"
#include "core/disconnect.h"
#include "core/marks.h"
#include "core/output.h"
#include "core/time.h"
#include "core/transport.h"

namespace statefs {

struct ConnectionTimes {
  Duration connect_timeout;
  Duration handshake_timeout;   // until HELLO is answered
  Duration keepalive_interval;
  Duration dead_peer_timeout;
};

class Connection {
 public:
  enum class Phase : std::uint8_t { offline, connecting, handshake, greeting, ready, finished };

  // `marks` outlives the connection.
  Connection(const ConnectionTimes& times, Marks& marks) : times_(times), marks_(marks) {}

  [[nodiscard]] Phase phase() const { return phase_; }
  [[nodiscard]] bool greeting() const { return phase_ == Phase::greeting; }
  [[nodiscard]] bool ready() const { return phase_ == Phase::ready; }
  [[nodiscard]] bool finished() const { return phase_ == Phase::finished; }
  [[nodiscard]] bool offline() const { return phase_ == Phase::offline; }
  [[nodiscard]] bool open() const { return transport_.has_value() && phase_ != Phase::finished; }  // bytes move
  [[nodiscard]] Disconnect reason() const { return reason_; }

  void opening(Now now);
  // A channel has its handshake before it; a plain transport is greeting at once.
  void opened(Transport transport, Now now);
  void greeted() { phase_ = Phase::ready; }
  void finish(Disconnect why);
  void ended();

  // Takes one message from the front of `bytes`. True where plaintext was heard, or the greeting has begun.
  [[nodiscard]] bool receive(ByteView& bytes, Now now);
  [[nodiscard]] Bytes& heard() { return heard_; }
  [[nodiscard]] Bytes& said() { return said_; }
  // Frames said and bytes not yet taken.
  [[nodiscard]] std::size_t outgoing_size() const { return said_.size() + output_.size(); }
  // Seals what was said, or a keepalive where one is due.
  void seal(Now now);
  // Whether this phase has lasted too long: then it is finished.
  [[nodiscard]] bool overdue(Now now);

  [[nodiscard]] ByteView output() const { return output_.view(); }
  void output_taken(std::size_t count) { output_.taken(count); }
  [[nodiscard]] Time deadline() const;

 private:
  void send_handshake();
  [[nodiscard]] Time dead_at() const;
  [[nodiscard]] bool has_keepalives() const { return phase_ == Phase::ready && transport_->has_keepalives(); }

  ConnectionTimes times_;
  Marks& marks_;
  Phase phase_ = Phase::offline;
  std::optional<Transport> transport_;
  Disconnect reason_ = Disconnect::none;
  Bytes heard_;
  Bytes said_;
  Output output_;
  Time connected_at_{};
  Time received_at_{};
  Time sent_at_{};
};

}  // namespace statefs
