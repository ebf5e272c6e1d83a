// SERVER: all connections of one device, admitted, bounded, and served in wake-ups.
//
//   driver -> receive(connection, bytes) ... -> advance(): one commit for all -> output(connection) -> driver
//
// Two doors lead in: peers of the network come by a channel, programs of the device as a uid that the kernel vouches for.
//
// A wake-up is any number of accept/receive/ended calls with one `now`, then one advance(): it submits one commit,
// releases the answers whose commit is complete, seals each connection's answers into as few records as can be, and
// fires deadlines. touched() then names the connections that have something to write or are to be closed.
// Only sim/node and the stream driver call this.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "core/admission.h"
#include "core/bytes.h"
#include "core/crypto.h"
#include "core/limits.h"
#include "core/policy.h"
#include "core/result.h"
#include "core/session.h"
#include "core/store.h"
#include "core/time.h"

namespace statefs {

// Both derive from the node's identity.
struct ServerKeys {
  std::shared_ptr<const DhKey> identity;
  SecretKey value_mac;  // of the HMAC of values in audit records
};

struct ServerCounters {
  std::uint64_t accepted = 0, refused_connections = 0, handshakes_ok = 0, handshakes_failed = 0, not_enrolled = 0;
  std::uint64_t requests = 0, requests_ok = 0, refusals = 0, malformed = 0, damaged = 0;
  std::uint64_t overloaded = 0;  // of the refusals: put off for the rate of requests or bytes
  std::uint64_t bytes_in = 0, bytes_out = 0, ended_mid_record = 0, audit_lost_room = 0;
};

class Server {
 public:
  // `suite` and `store` outlive the server. A ConnectionId is reused only after released().
  Server(const Suite& suite, ServerKeys keys, Policy policy, Store& store, const ServerLimits& limits);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // A stream was accepted. `ephemeral` is 32 fresh random bytes. Refused: close the stream, nothing else to do.
  [[nodiscard]] Result<ConnectionId, AdmissionError> accept(const SecretKey& ephemeral, Now now);
  // A stream was accepted at the local door, of a process with this uid: the frames themselves, without a channel. Refused: the same.
  [[nodiscard]] Result<ConnectionId, AdmissionError> accept_local(std::uint32_t uid, Now now);
  void receive(ConnectionId connection, ByteView bytes, Now now);
  // The stream ended or broke: nothing more will arrive, nothing can be sent. It counts as touched.
  void ended(ConnectionId connection, Now now);
  void advance(Now now);

  [[nodiscard]] std::span<const ConnectionId> touched() const;             // since the last advance() began
  [[nodiscard]] ByteView output(ConnectionId connection) const;
  void output_taken(ConnectionId connection, std::size_t count, Now now);
  [[nodiscard]] bool wants_input(ConnectionId connection) const;           // false: backpressure, or closing
  [[nodiscard]] std::size_t read_size(ConnectionId connection) const;      // of one read, at most
  [[nodiscard]] bool finished(ConnectionId connection) const;              // close the stream, then call released()
  void released(ConnectionId connection);
  [[nodiscard]] Time deadline() const;

  void reload(Policy policy, Now now);   // between wake-ups; connections of peers no longer enrolled close
  void shutdown(Now now);                // no new connections; the present ones drain
  // For the end of the process, after the last advance(): records and submits what is only counted so far. How many numbers the log
  // had no room for: it may be called again when there is some.
  [[nodiscard]] std::size_t record_counts(Now now);
  [[nodiscard]] std::size_t connection_count() const;
  [[nodiscard]] std::size_t buffered_size() const;                         // bytes held for all connections
  [[nodiscard]] std::size_t buffered_size(ConnectionId connection) const;  // for one that was not released
  [[nodiscard]] std::size_t waiting_size() const;                          // of them, answers and input not worked on (waiting.h)
  [[nodiscard]] bool pressed(ConnectionId connection) const;               // not read, since there is too much of it, for all or for its peer
  [[nodiscard]] std::uint64_t staged_size() const;                         // bytes reserved for stages
  [[nodiscard]] const ServerCounters& counters() const;
  // True once the first request of a remote peer was answered OK.
  [[nodiscard]] bool has_served() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace statefs
