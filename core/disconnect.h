// DISCONNECT: why a connection of a client ended, as far as the client can tell.
//
//   client.h (which finds out), programs (which say it) -> DISCONNECT -> marks.h
#pragma once

#include <cstdint>

#include "core/marks.h"

namespace statefs {

enum class Disconnect : std::uint8_t {
  none,
  stream_ended,      // after HELLO was answered
  no_stream,         // it could not be opened
  handshake_ended,   // the server closed in the middle of it: most likely it holds another key
  handshake_failed,  // the server answered wrongly: it is not what it says
  not_admitted,      // closed right after the handshake: most likely this key is not enrolled
  refused_version,
  store_refused,   // the server has found its store damaged and serves nothing of it
  protocol_error,  // the server sent what is no response, or no response to a call of this client
  damaged,         // a record did not authenticate
  timed_out,       // no handshake or no sign of life in time
};

void mark(Disconnect why, Marks& marks);

}  // namespace statefs
