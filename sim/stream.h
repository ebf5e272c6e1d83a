// STREAM: one connection between two nodes: a duplex byte stream that keeps bytes and order, and nothing else.
//
//   node.h (write, read, close) <-> STREAM <-> link.h (when), faults.h (how torn)
//
// It may tear writes into any segments, join what arrived, take short writes, block, end cleanly or break. Readiness is
// level-triggered: stream_ready() says that something about an end changed, the user looks at what. The two
// ends break in their own time; what arrived before a break can still be read unless the faults say that it is lost.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>

#include "core/bytes.h"
#include "sim/link.h"
#include "sim/schedule.h"
#include "sim/trace.h"

namespace statefs::sim {

using StreamId = std::uint32_t;
enum class Side : std::uint8_t { connector = 0, acceptor = 1 };
constexpr Side other(Side side) { return side == Side::connector ? Side::acceptor : Side::connector; }

// One end of one stream; never reused in a run.
struct StreamEnd {
  StreamId stream = 0;
  Side side = Side::connector;
  friend auto operator<=>(const StreamEnd&, const StreamEnd&) = default;
};

// Whose ends they are: a node. It is called from within the stream: it takes note, and acts on the stream later. Once it
// closed, or reset, an end it is not called about it any more, and may go.
class StreamUser {
 public:
  virtual ~StreamUser() = default;
  virtual bool stream_offered(StreamEnd end) = 0;  // false: refused
  virtual void stream_ready(StreamEnd end) = 0;
};

// Who gets the streams that are offered to a node. Null, or nobody: they are refused.
using Listeners = std::map<NodeId, StreamUser*>;

class Stream final : public Handler {
 public:
  // What a stream needs of its world; all of it outlives the stream, but for the connector, who may close and go. Who
  // accepts is looked up when the stream knocks: programs come and go meanwhile.
  struct Ground {
    Schedule& schedule;
    Trace& trace;
    Link& there;  // connector to acceptor
    Link& back;
    StreamUser& connector;
    const Listeners& listeners;
  };
  Stream(StreamId id, const Ground& ground);
  ~Stream() override;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  [[nodiscard]] bool is_open(Side side) const { return end(side).open && !end(side).closed; }
  [[nodiscard]] bool refused() const { return refused_; }

  // How many of the bytes were taken; fewer than offered: stream_ready() comes when more can be.
  [[nodiscard]] std::size_t write(Side side, ByteView bytes);
  // The next bytes that arrived, `size_max` at most; empty where there are none. Valid until the next write or read.
  [[nodiscard]] ByteView read(Side side, std::size_t size_max);
  [[nodiscard]] std::size_t unread_size(Side side) const { return pipe(other(side)).arrived; }
  [[nodiscard]] bool at_end(Side side) const;  // the peer ended cleanly and everything was read
  [[nodiscard]] bool broken(Side side) const;  // nothing more can be read or written
  [[nodiscard]] bool write_broken(Side side) const { return end(side).broken; }  // the same, though some can be read

  void close(Side side);  // a clean end after what was written; later arrivals are answered by a reset
  void reset(Side side);  // the peer learns it after what is on its way
  void cut();             // breaks both ends now; what is on its way is lost
  // Cuts once this many bytes from `from` have arrived in total.
  void cut_after(Side from, std::uint64_t byte_count);
  [[nodiscard]] bool finished() const { return ends_[0].closed && ends_[1].closed; }
  [[nodiscard]] std::uint64_t delivered_count(Side from) const { return pipe(from).delivered; }

  void fire(std::uint32_t kind, std::uint64_t argument) override;

 private:
  enum class Kind : std::uint8_t { data, end, reset };
  struct Segment {
    Time arrival;
    std::size_t size = 0;
    Kind kind = Kind::data;
  };
  // The bytes from one side: [head, head + arrived) were delivered and not read, the rest is on its way.
  struct Pipe {
    Bytes buffer;
    std::size_t head = 0;
    std::size_t arrived = 0;
    std::deque<Segment> segments;
    Time last_arrival;
    EventId arrival_event = 0;
    EventId writable_event = 0;
    bool blocked = false;
    bool ended = false;
    std::uint64_t written = 0;
    std::uint64_t delivered = 0;
    std::optional<std::uint64_t> cut_at;
  };
  struct End {
    bool open = false;
    bool closed = false;
    bool broken = false;
  };

  [[nodiscard]] End& end(Side side) { return ends_[static_cast<std::size_t>(side)]; }
  [[nodiscard]] const End& end(Side side) const { return ends_[static_cast<std::size_t>(side)]; }
  [[nodiscard]] Pipe& pipe(Side from) { return pipes_[static_cast<std::size_t>(from)]; }
  [[nodiscard]] const Pipe& pipe(Side from) const { return pipes_[static_cast<std::size_t>(from)]; }
  [[nodiscard]] Link& link(Side from) { return from == Side::connector ? ground_.there : ground_.back; }
  [[nodiscard]] NodeId node(Side side) { return link(side).from(); }

  void offer();
  void arrive(Side from);
  void arrive_data(Side from, std::size_t size);
  void send(Side from, Kind kind, std::size_t size);
  void send_cut(Side from, std::size_t size);
  void arm(Side from);
  void break_end(Side side);
  void drop(Side from, bool arrived_too);
  void notify(Side side);
  EventId schedule(Side side, std::uint32_t kind, Time time);

  StreamId id_;
  Ground ground_;
  StreamUser* acceptor_ = nullptr;  // since it took the stream
  bool refused_ = false;
  EventId opening_event_ = 0;
  Pipe pipes_[2];
  End ends_[2];
};

}  // namespace statefs::sim
