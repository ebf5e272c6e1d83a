// IDLE DISK: completes whatever a journal asks for and keeps nothing; and an exporter that takes all and drops it.
//
//   core/journal.h -> IDLE DISK -> *_bench.cpp
#pragma once

#include "core/journal.h"

namespace statefs::bench {

class Drop final : public AuditSink {
 public:
  bool take(std::uint64_t, ByteView, const Digest&) override { return true; }
};

// What is read is zeros, so that the journal makes a store of it.
inline void serve(Journal& journal) {
  static const Bytes zeros(limits::journal_read_size);
  while (const auto request = journal.next_request()) {
    const bool read = request->kind == DiskRequest::Kind::read;
    journal.completed(request->id, true, read ? ByteView(zeros).first(request->size) : ByteView{});
  }
}

}  // namespace statefs::bench
