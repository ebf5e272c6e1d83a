// FAULTS: what may go wrong in a world, as plain numbers that are printed whole with the seed.
//
//   main.h, tests -> FAULTS -> link.h (delay, bandwidth), stream.h (cuts, short writes, resets)
//
// Every kind can be off, and all are by default: a world of default options delivers each write whole after 1 ms.
#pragma once

#include <string>

#include "core/time.h"
#include "sim/random.h"

namespace statefs::sim {

// Of one direction between two nodes.
struct LinkOptions {
  Duration latency = milliseconds(1);
  Duration jitter;                        // up to this much more, drawn for each segment; order is kept
  std::uint64_t bytes_per_second = 0;     // 0: no bound
};

// How writes become segments: each write draws one way by weight; all zero is `whole`.
struct CutWeights {
  std::uint32_t whole = 1;
  std::uint32_t drawn = 0;      // at drawn places
  std::uint32_t one_byte = 0;   // single bytes first, the rest in one
  std::uint32_t edges = 0;      // sizes around those of length, header, tag and handshake messages
};

struct StreamOptions {
  std::size_t send_window = 256 * 1024;  // bytes written and not read at most
  CutWeights cuts;
  Ratio short_write;                     // a write takes only a part of what it was offered
  Ratio blocked_write;                   // a write takes nothing although there was room
  Ratio short_read;                      // a read sees only a part of what arrived
  Ratio refused;                         // a connection is refused
  Ratio broken_unread;                   // a broken stream loses what had arrived and was not read
};

struct Faults {
  LinkOptions link;
  StreamOptions stream;
  Ratio cut_per_write;   // a stream is cut within some bytes of a write: at a drawn place, both sides at once
};

[[nodiscard]] std::string describe(const Faults& faults);

}  // namespace statefs::sim
