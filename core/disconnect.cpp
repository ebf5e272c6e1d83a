#include "core/disconnect.h"

namespace statefs {

void mark(Disconnect why, Marks& marks) {
  switch (why) {
    case Disconnect::none: return;
    case Disconnect::stream_ended: STATEFS_MARK_IN(marks, "disconnect.stream_ended"); return;
    case Disconnect::no_stream: STATEFS_MARK_IN(marks, "disconnect.no_stream"); return;
    case Disconnect::handshake_ended: STATEFS_MARK_IN(marks, "disconnect.handshake_ended"); return;
    case Disconnect::handshake_failed: STATEFS_MARK_IN(marks, "disconnect.handshake_failed"); return;
    case Disconnect::not_admitted: STATEFS_MARK_IN(marks, "disconnect.not_admitted"); return;
    case Disconnect::refused_version: STATEFS_MARK_IN(marks, "disconnect.refused_version"); return;
    case Disconnect::store_refused:
      STATEFS_MARK_IN(marks, "disconnect.store_refused");
      return;
    case Disconnect::protocol_error: STATEFS_MARK_IN(marks, "disconnect.protocol_error"); return;
    case Disconnect::damaged: STATEFS_MARK_IN(marks, "disconnect.damaged"); return;
    case Disconnect::timed_out: STATEFS_MARK_IN(marks, "disconnect.timed_out"); return;
  }
}

}  // namespace statefs
