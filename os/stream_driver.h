// STREAM DRIVER: the sockets of a server and the one loop body that serves them.
//
//   event_loop.h (what is ready) -> STREAM DRIVER <-> core/server.h (bytes)
//                                        `-> audit_export.h (records, before the answers leave)
//
// A turn: one read of every ready stream, the accepted streams, one Server::advance (one commit), one export of audit
// records, one write of every stream that has something to say. Streams are registered once, edge-triggered for both
// directions, so no request costs an epoll_ctl, and a read that came back short is not repeated to see EAGAIN.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/server.h"
#include "core/store.h"
#include "os/event_loop.h"
#include "os/fd.h"

namespace statefs {

// Where audit records leave the process. export_from() is called once per turn.
class AuditOutput {
 public:
  virtual ~AuditOutput() = default;
  virtual void export_from(Store& store, Now now) = 0;
  [[nodiscard]] virtual Time deadline() const = 0;  // of a retry; `never` where there is nothing left over
};

struct StreamDriverLimits {
  std::size_t read_size = 64 * 1024;  // of one read; one buffer for all streams
  std::size_t accepts_per_turn = 64;
  Duration accept_pause = milliseconds(100);  // when the process or the system has no descriptors left
  Duration accept_warning_interval = seconds(60);
};

class StreamDriver {
 public:
  static constexpr EventTag listener_tag = ~EventTag{0};
  static constexpr EventTag local_listener_tag = listener_tag - 1;
  static constexpr EventTag own_tags_end = local_listener_tag;  // tags of others are below it, and above any connection number

  // Everything referred to outlives the driver. `listener` is non-blocking.
  StreamDriver(EventLoop& loop, Server& server, Store& store, AuditOutput& audit, Fd listener,
               const StreamDriverLimits& limits = {});

  // Another listener, of unix streams: the local door. Once.
  void open_local_door(Fd listener);

  // An event of the loop whose tag is one of the listeners' or a connection number.
  void ready(const epoll_event& event);
  void turn(Now now);
  [[nodiscard]] Time deadline() const;  // of the next turn; Time{0}: at once

  void stop_listening();    // at both doors; present streams go on
  void close_all(Now now);  // without ceremony: the end of the process

 private:
  struct Stream {
    Fd fd;
    bool readable = false;  // the kernel may hold bytes, or the end of the stream
    bool queued = false;    // is in readable_
    bool hung_up = false;   // an end was announced: a short read is not the last one
    bool broken = false;    // neither direction works any more
    bool blocked = false;   // the kernel took less than there was: wait for it to take more
    bool writable = false;  // is in writable_
    bool gone = false;      // Server::ended was said
  };

  void queue_for_reading(ConnectionId id);
  void queue_for_writing(ConnectionId id);
  void read_ready(Now now);
  void read_once(ConnectionId id, Now now);
  struct Door {
    Fd listener;
    EventTag tag;
    bool local = false;
    bool ready = false;
  };

  void open(Door& door, Fd listener);
  void resume_accepting(Now now);
  void accept_some(Door& door, Now now);
  bool accept_one(Door& door, Now now);
  [[nodiscard]] std::optional<ConnectionId> admit(const Door& door, int fd, Now now);
  void pause_accepting(int error_number, Now now);
  void write_once(ConnectionId id, Now now);
  void end_stream(ConnectionId id, Now now);
  void close_if_finished(ConnectionId id);

  EventLoop& loop_;
  Server& server_;
  Store& store_;
  AuditOutput& audit_;
  StreamDriverLimits limits_;
  std::vector<Stream> streams_;          // by connection number
  std::vector<ConnectionId> readable_;   // to be read in the next turn
  std::vector<ConnectionId> held_back_;  // readable, but the server does not want input of them now
  std::vector<ConnectionId> writable_;   // the kernel has room again
  std::vector<ConnectionId> scratch_;
  Bytes buffer_;
  std::array<Door, 2> doors_{Door{Fd(), listener_tag}, Door{Fd(), local_listener_tag, true}};
  bool turn_at_once_ = false;
  Time accept_again_ = never;  // `never`: not paused
  Time warn_again_{0};
};

}  // namespace statefs
