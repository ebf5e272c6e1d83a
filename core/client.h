// CLIENT: the other end, without sockets: calls in, completions out, over as many connections as it takes.
//
//   program -> submit(call) -> CLIENT <-> bytes <-> driver;   take_completion() -> program
//
// The driver begins to open a stream when wants_connection(now) says so, reports connecting(), then connected() or
// disconnected(), and moves bytes by the five-function face.
// A read that a broken stream cut is sent again. A mutation travels on a slot of a session, so it is sent
// again only where the server's own table says that it was not executed; rejoin.h is the whole of it. What was answered OK and
// then lost with the server's unsynced suffix is reported by take_lost(), never sent again.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "core/bytes.h"
#include "core/calls.h"
#include "core/crypto.h"
#include "core/disconnect.h"
#include "core/limits.h"
#include "core/marks.h"
#include "core/request.h"
#include "core/response.h"
#include "core/result.h"
#include "core/time.h"
#include "core/witness.h"

namespace statefs {

inline constexpr std::size_t client_random_size = 32 + 8 + limits::session_instance_size;

struct ClientConfig {
  PublicKey server;
  std::size_t in_flight_max = 64;
  Duration connect_timeout = limits::connect_timeout;
  Duration handshake_timeout = limits::handshake_timeout;
  Duration keepalive_interval = limits::keepalive_interval;
  Duration dead_peer_timeout = limits::dead_peer_timeout;
  Duration backoff_min = limits::reconnect_backoff_min;
  Duration backoff_max = limits::reconnect_backoff_max;
  std::uint64_t backoff_seed = 0;  // random, for a client without an identity, before it has been given other random bytes
  SeenHead seen;           // of an earlier client, where it was kept
  Marks* marks = nullptr;  // outlives the client; null: counted where nobody reads
};

class Client {
 public:
  // `suite` outlives the client. Without an identity (null) it speaks plainly, to a local door, and config.server is not looked at.
  Client(const Suite& suite, std::shared_ptr<const DhKey> identity, const ClientConfig& config);
  ~Client();
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;

  // Takes a request whose id is ignored; the bytes it points to are copied. `deadline` is absolute, or `never`.
  [[nodiscard]] Result<CallId, SubmitError> submit(const RequestBody& request, Time deadline, Time now);
  [[nodiscard]] std::optional<Completion> take_completion();

  // Writes that were answered OK and that the server no longer has. They are kept until they are taken: while as many as
  // limits::client_unsynced_max are lost and not taken, or not known durable, no further write is sent (each waits for its deadline).
  [[nodiscard]] std::optional<LostWrite> take_lost();
  // The store no longer has what it had called durable: calls that were in flight are outcome_unknown, answered writes not known durable
  // are reported lost and not certain, durable ones may be gone too, and the client goes on in a new session.
  [[nodiscard]] std::optional<Rollback> take_rollback();
  // The highest durable head so far, for whoever keeps it for the next client of this server (ClientConfig::seen).
  [[nodiscard]] const SeenHead& seen() const;

  // Connection management. `random` is fresh random bytes: an ephemeral key, 8 for the jitter of the backoff, and the name
  // of a session.
  [[nodiscard]] bool wants_connection(Time now) const;
  void connecting(Now now);             // a stream is being opened; may be left out where that takes no time
  void connected(std::span<const std::uint8_t, client_random_size> random, Now now);
  void disconnected(Now now);           // the stream ended, or could not be opened; also after finished()
  [[nodiscard]] bool ready() const;     // HELLO was answered
  [[nodiscard]] bool finished() const;  // the client is done with this stream: close it and call disconnected()
  [[nodiscard]] Disconnect last_disconnect() const;
  [[nodiscard]] const std::optional<HelloResponse>& server_hello() const;  // of the latest connection that got one

  void receive(ByteView bytes, Now now);
  void advance(Now now);
  [[nodiscard]] ByteView output() const;
  void output_taken(std::size_t count);
  [[nodiscard]] Time deadline() const;

  [[nodiscard]] std::size_t outstanding() const;  // calls without a completion

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace statefs
