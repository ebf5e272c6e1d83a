// FRAMES: everything that nodes sent each other, as rows: frames decoded, handshake messages, keepalives, and bytes that
// are none of these.
//
//   tap.h (seals, opens), wire.h (arrivals) -> FRAMES -> story.h
//
// What was sealed, what arrived and what was opened are one record where their tags agree. The plaintext of a sender's
// records in their order is a byte stream of frames; a frame may span records and a record hold several.
#pragma once

#include <vector>

#include "sim/row.h"
#include "sim/tap.h"
#include "sim/trace.h"

namespace statefs::sim {

inline constexpr std::size_t row_hex_size_max = 256;  // bytes of a frame that its row keeps

// In no particular order, without links.
[[nodiscard]] std::vector<Row> rows_sent(const Trace& trace, const Tap& tap);

}  // namespace statefs::sim
