// MARK ROWS: what an entry of the trace says that is no call and no frame: records, store, connections, faults.
//
//   trace.h -> MARK ROWS -> story.h
//
// The payload of a kind that is known here becomes fields; of any other kind there are its argument and its bytes.
#pragma once

#include "sim/row.h"
#include "sim/trace.h"

namespace statefs::sim {

// Adds title, stream, record and fields to a row that has the entry's name, time and bytes already.
void tell_mark(const TraceEntry& entry, ByteView payload, Row& row);

}  // namespace statefs::sim
