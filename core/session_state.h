// SESSION STATE: the whole life of one accepted connection as a table, states x events, with no bytes in it.
//
//   SESSION STATE -> session.h (bytes) -> server.h (all connections)
//
//   awaiting_message_1 --message_1--> awaiting_message_3 --admitted--> greeting --hello--> serving
//         |                                |                             |                  |
//         +------- anything wrong ---------+-----------> closed <--------+--- draining <----+
//
// `greeting` takes one request, HELLO. `draining` sends what was answered and reads nothing more. A cell that no
// correct program reaches holds Action::bug; no peer can reach one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace statefs {

enum class SessionState : std::uint8_t { awaiting_message_1, awaiting_message_3, greeting, serving, draining, closed };
inline constexpr std::size_t session_state_count = 6;

enum class SessionEvent : std::uint8_t {
  message_1,         // a good first handshake message
  admitted,          // a good third one, from an enrolled peer within its limits
  refused,           // a bad handshake message, or a peer that may not enter
  hello,             // HELLO with a version this side speaks
  foreign_version,   // HELLO with one it does not
  request,           // any other request that parses, or HELLO again
  malformed,         // a frame that cannot be parsed, or is over its limit
  damaged,           // a record that does not authenticate, or one too many
  ended,             // the stream ended or broke
  overdue,           // the deadline of the state passed
  aged,              // the connection has lived as long as one may
  expelled,          // the peer is no longer enrolled
  store_failed,      // the store failed: nothing pending is answered
  shut_down,         // the server stops
  drained,           // everything that was answered has been taken
};
inline constexpr std::size_t session_event_count = 15;

enum class SessionAction : std::uint8_t {
  none,
  send_message_2,
  start_session,     // the peer is known: the handshake deadline becomes the idle one
  greet,             // answer HELLO
  execute,           // execute and answer the request
  refuse_version,    // answer UNSUPPORTED, then drain
  refuse_frame,      // answer MALFORMED, record it, then drain
  record_damage,     // one audit record, then nothing
  drop,              // discard what waits to be sent
  bug,
};

struct SessionStep {
  SessionState next = SessionState::closed;
  SessionAction action = SessionAction::bug;
};

[[nodiscard]] SessionStep step(SessionState state, SessionEvent event);

}  // namespace statefs
