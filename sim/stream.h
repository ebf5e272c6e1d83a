// STREAM: one connection between two nodes: a duplex byte stream that keeps bytes and order, and nothing else.
//
//   node.h (write, read, close) <-> STREAM <-> link.h (when), faults.h (how torn)
//
// It may tear writes into any segments, join what arrived, take short writes, block, end cleanly or break. Readiness is
// level-triggered: stream_ready() says that something about an end changed, the user looks at what. The two
// ends break in their own time; what arrived before a break can still be read unless the faults say that it is lost.
// Whatever cannot get through is tried again with backoff, until the sender gives up: then its end breaks and the other
// hears nothing. Such a half-open stream answers by a reset what is sent to an end that is gone.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>

#include "sim/link.h"
#include "sim/pipe.h"
#include "sim/schedule.h"
#include "sim/trace.h"

namespace statefs::sim {

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
  [[nodiscard]] NodeId node(Side side) const { return (side == Side::connector ? ground_.there : ground_.back).from(); }

  // How many of the bytes were taken; fewer than offered: stream_ready() comes when more can be.
  [[nodiscard]] std::size_t write(Side side, ByteView bytes);
  // The next bytes that arrived, `size_max` at most; empty where there are none. Valid until the next write or read.
  [[nodiscard]] ByteView read(Side side, std::size_t size_max);
  [[nodiscard]] std::size_t unread_size(Side side) const;  // what read() could give now
  [[nodiscard]] bool at_end(Side side) const;              // the peer ended cleanly and everything was read
  [[nodiscard]] bool broken(Side side) const;              // nothing more can be read or written
  [[nodiscard]] bool write_broken(Side side) const { return end(side).broken; }  // the same, though some can be read

  void close(Side side);           // a clean end after what was written; later arrivals are answered by a reset
  void finish_writing(Side side);  // a clean end after what was written; reading goes on until close()
  void reset(Side side);           // the peer learns it after what is on its way, or never where nothing gets through
  void cut();                      // breaks both ends now; what is on its way is lost
  // Cuts once this many bytes from `from` have arrived in total.
  void cut_after(Side from, std::uint64_t byte_count);
  // Power loss: the end is gone without a word and answers nothing. Its owner forgets it, as after reset().
  void vanish(Side side);
  // Its machine is back, and answers by a reset what is sent to an end that it does not know.
  void revive(Side side) { end(side).vanished = false; }
  [[nodiscard]] bool finished() const { return ends_[0].closed && ends_[1].closed; }
  [[nodiscard]] std::uint64_t delivered_count(Side from) const { return way(from).pipe.passed_count(); }  // of those written

  void fire(std::uint32_t kind, std::uint64_t argument) override;

 private:
  // Of events. Of two of one name the first is about bytes from the connector, or about the connector's end.
  enum : std::uint32_t {
    knock = 1,
    opening,
    refusing,
    arrival_there,
    arrival_back,
    writable_there,
    writable_back,
    readable_there,
    readable_back,
    unheard_there,
    unheard_back,
    late_connector,
    late_acceptor,
    connect_timeout
  };
  static constexpr std::uint32_t of(Side side, std::uint32_t first) { return side == Side::connector ? first : first + 1; }
  enum class Kind : std::uint8_t { knock, opened, refused, data, end, reset, lost };
  enum class Reason : std::uint8_t { told, timed_out };
  struct Segment {
    Time arrival;
    std::size_t size = 0;
    Kind kind = Kind::data;
  };
  struct Retry {
    Time since;
    std::uint64_t tries = 0;
  };
  // From one side to the other.
  struct Way {
    Pipe pipe;
    std::deque<Segment> segments;
    Time last_arrival;
    EventId arrival_event = 0;
    EventId writable_event = 0;
    EventId readable_event = 0;   // until then what arrived cannot be read
    EventId unheard_event = 0;    // what arrived could not be acknowledged
    Retry held, room, unheard;    // of the first segment, of the word that there is room, of the acknowledgement
    bool blocked = false;
    bool room_crosses = false;    // the writable event is the peer's word, not a whim of the sender's machine
    bool ended = false;
    std::size_t swallowed = 0;    // written into nothing
    std::optional<std::uint64_t> cut_at;
  };
  struct End {
    bool open = false;
    bool closed = false;
    bool finished_writing = false;
    bool gone = false;      // closed by reset() or vanish(): nobody sends again what did not get through
    bool vanished = false;
    bool broken = false;
    EventId late_event = 0;  // broken, and not told yet
    Reason reason = Reason::told;
    [[nodiscard]] bool dead() const { return broken || late_event != 0; }
  };

  [[nodiscard]] End& end(Side side) { return ends_[static_cast<std::size_t>(side)]; }
  [[nodiscard]] const End& end(Side side) const { return ends_[static_cast<std::size_t>(side)]; }
  [[nodiscard]] Way& way(Side from) { return ways_[static_cast<std::size_t>(from)]; }
  [[nodiscard]] const Way& way(Side from) const { return ways_[static_cast<std::size_t>(from)]; }
  [[nodiscard]] Link& link(Side from) { return from == Side::connector ? ground_.there : ground_.back; }
  [[nodiscard]] bool connecting() const { return !ends_[0].open && !ends_[0].closed && !ends_[0].broken; }

  void offer();
  void limit_connecting(Time arrival);
  void time_out_connecting();
  void send(Side from, Kind kind, std::size_t size);
  void send_by(Side from, Kind kind, std::size_t size, Carriage carriage);
  void send_last(Side from, Kind kind);
  void send_cut(Side from, std::size_t size);
  void arm(Side from);
  void arrive(Side from);
  void arrive_data(Side from, std::size_t size);
  std::size_t tamper(Side from, std::size_t size);
  void answer_by_reset(Side from, Kind kind);
  void open_window(Side from);
  void say_room(Side from);
  void hold(Side from);
  void hear(Side from);
  void lose(Side from);
  [[nodiscard]] std::optional<Time> next_try(Side from, Retry& retry, bool severed);
  void give_up(Side from);
  void break_end(Side side, Reason reason);
  void tell_broken(Side side);
  void drop_coming(Side from);
  void forget_knock();
  void retire();
  void notify(Side side);
  EventId schedule(Side side, std::uint32_t kind, Time time);
  void cancel(EventId& event);

  StreamId id_;
  Ground ground_;
  Time begun_;
  StreamUser* acceptor_ = nullptr;  // since it took the stream
  bool refused_ = false;
  EventId timeout_event_ = 0;
  Way ways_[2];
  End ends_[2];
};

}  // namespace statefs::sim
