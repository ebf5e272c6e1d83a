#include "sim/stream.h"

#include <algorithm>
#include <utility>

namespace statefs::sim {
namespace {

constexpr std::size_t segments_per_write_max = 24;

// Sizes at which a receiver's parser is between two thoughts: the length prefix (2), the frame header (16) and the tag
// (16) and their sums, and the handshake messages with their prefix (50, 66).
constexpr std::size_t edge_sizes[] = {1, 2, 3, 15, 16, 17, 18, 19, 31, 32, 33, 34, 35, 48, 49, 50, 51, 65, 66, 67};

}  // namespace

Stream::Stream(StreamId id, const Ground& ground) : id_(id), ground_(ground), begun_(ground.schedule.now()) {
  send(Side::connector, Kind::knock, 0);
  limit_connecting(way(Side::connector).last_arrival);
}

Stream::~Stream() {
  retire();
  cancel(timeout_event_);
  for (End& each : ends_) cancel(each.late_event);
  for (Way& each : ways_) {
    for (EventId* event : {&each.arrival_event, &each.writable_event, &each.readable_event, &each.unheard_event}) cancel(*event);
  }
}

EventId Stream::schedule(Side side, std::uint32_t kind, Time time) {
  return ground_.schedule.at(time, {this, node(side), kind, id_});
}

void Stream::cancel(EventId& event) {
  ground_.schedule.cancel(event);
  event = 0;
}

void Stream::notify(Side side) {
  if (end(side).closed) return;
  if (side == Side::connector) {
    ground_.connector.stream_ready({id_, side});
  } else if (end(side).open) {
    acceptor_->stream_ready({id_, side});
  }
}

void Stream::fire(std::uint32_t kind, std::uint64_t) {
  switch (kind) {
    case knock:
    case arrival_there: return arrive(Side::connector);
    case opening:
    case refusing:
    case arrival_back: return arrive(Side::acceptor);
    case writable_there: return say_room(Side::connector);
    case writable_back: return say_room(Side::acceptor);
    case readable_there: way(Side::connector).readable_event = 0; return notify(Side::acceptor);
    case readable_back: way(Side::acceptor).readable_event = 0; return notify(Side::connector);
    case unheard_there: return hear(Side::connector);
    case unheard_back: return hear(Side::acceptor);
    case late_connector: return tell_broken(Side::connector);
    case late_acceptor: return tell_broken(Side::acceptor);
    case connect_timeout: return time_out_connecting();
    default: STATEFS_CHECK(false);
  }
}

void Stream::offer() {
  Link& back = link(Side::acceptor);
  const Carriage answer = back.carry(0, ground_.schedule.now());
  End& acceptor = end(Side::acceptor);
  acceptor.open = true;
  ground_.trace.add(node(Side::acceptor), TraceKind::stream_offered, id_);
  const auto listener = ground_.listeners.find(node(Side::acceptor));
  acceptor_ = listener == ground_.listeners.end() ? nullptr : listener->second;
  if (acceptor_ != nullptr && !back.chance(back.faults().stream.refused, FaultKind::refused) &&
      acceptor_->stream_offered({id_, Side::acceptor})) {
    send_by(Side::acceptor, Kind::opened, 0, answer);
  } else {
    acceptor.open = false;
    acceptor.closed = true;
    send_by(Side::acceptor, Kind::refused, 0, answer);
  }
  limit_connecting(way(Side::acceptor).last_arrival);
}

// A time-out is an event only where it may come: a stream that opens in time knows of none.
void Stream::limit_connecting(Time arrival) {
  const Time limit = begun_ + link(Side::connector).faults().link.connect_timeout;
  if (!connecting() || timeout_event_ != 0 || arrival <= limit) return;
  timeout_event_ = schedule(Side::connector, connect_timeout, std::max(limit, ground_.schedule.now()));
}

void Stream::time_out_connecting() {
  cancel(timeout_event_);
  if (!connecting()) return;
  link(Side::connector).count(FaultKind::connect_timeout);
  forget_knock();
  end(Side::connector).broken = true;
  ground_.trace.add(node(Side::connector), TraceKind::stream_refused, id_, Bytes{1});
  notify(Side::connector);
}

void Stream::arm(Side from) {
  Way& there = way(from);
  if (there.arrival_event != 0 || there.segments.empty()) return;
  const Segment& first = there.segments.front();
  std::uint32_t kind = of(from, arrival_there);
  if (first.kind == Kind::knock) kind = knock;
  if (first.kind == Kind::opened) kind = opening;
  if (first.kind == Kind::refused) kind = refusing;
  there.arrival_event = schedule(other(from), kind, std::max(first.arrival, ground_.schedule.now()));
}

void Stream::send_by(Side from, Kind kind, std::size_t size, Carriage carriage) {
  Way& there = way(from);
  there.last_arrival = std::max(there.last_arrival, carriage.arrival);
  // A reset is sent once by whoever does not know the stream, and again whenever it is asked for.
  there.segments.push_back({there.last_arrival, size, carriage.lost && kind != Kind::reset ? Kind::lost : kind});
  arm(from);
}

void Stream::send(Side from, Kind kind, std::size_t size) { send_by(from, kind, size, link(from).carry(size, ground_.schedule.now())); }

void Stream::send_last(Side from, Kind kind) {
  const StreamOptions& options = link(from).faults().stream;
  const Duration late = link(from).drawn_delay(options.slow_close, options.close_delay_max, FaultKind::slow_close);
  if (late.ns > 0) way(from).last_arrival = std::max(way(from).last_arrival, ground_.schedule.now()) + late;
  send(from, kind, 0);
}

void Stream::send_cut(Side from, std::size_t size) {
  RandomStream& random = link(from).random();
  const CutWeights& weights = link(from).faults().stream.cuts;
  const std::uint64_t total = std::uint64_t{weights.whole} + weights.drawn + weights.one_byte + weights.edges;
  std::uint64_t how = total == 0 || weights.whole == total ? 0 : random.below(total);
  if (how < weights.whole || total == 0) return send(from, Kind::data, size);
  how -= weights.whole;
  const FaultKind kind = how < weights.drawn                                      ? FaultKind::cut_drawn
                         : how < std::uint64_t{weights.drawn} + weights.one_byte ? FaultKind::cut_one_byte
                                                                                  : FaultKind::cut_edges;
  for (std::size_t segments = 1; size > 0; ++segments) {
    std::size_t next = size;
    if (segments < segments_per_write_max) {
      if (kind == FaultKind::cut_drawn) {
        next = static_cast<std::size_t>(random.skewed(size - 1)) + 1;
      } else if (kind == FaultKind::cut_one_byte) {
        next = 1;
      } else {
        next = edge_sizes[random.below(std::size(edge_sizes))];
      }
      next = std::min(next, size);
    }
    if (segments == 1 && next < size) link(from).count(kind);
    send(from, Kind::data, next);
    size -= next;
  }
}

std::size_t Stream::write(Side side, ByteView bytes) {
  if (!is_open(side) || end(side).broken || end(side).finished_writing || bytes.empty()) return 0;
  Way& there = way(side);
  Link& line = link(side);
  const StreamOptions& options = line.faults().stream;
  const std::size_t held = there.pipe.held_size() + there.swallowed;
  std::size_t count = held < options.send_window ? std::min(options.send_window - held, bytes.size()) : 0;
  if (end(side).late_event != 0) {
    there.swallowed += count;
    return count;
  }
  if (there.writable_event != 0 && there.room_crosses && link(other(side)).severed()) count = 0;  // it did not hear of any room
  if (count < bytes.size()) line.count(FaultKind::full_window);
  if (count > 0 && line.chance(options.blocked_write, FaultKind::blocked_write)) {
    if (there.writable_event == 0) {
      there.room_crosses = false;
      there.writable_event = schedule(side, of(side, writable_there), line.carry(0, ground_.schedule.now()).arrival);
    }
    return 0;
  }
  if (count > 1 && line.random().chance(options.short_write)) {
    const std::size_t room = std::exchange(count, static_cast<std::size_t>(line.random().between(1, count)));
    if (count < room) line.count(FaultKind::short_write);
  }
  there.blocked = count < bytes.size();
  if (count == 0) return 0;
  if (line.random().chance(line.faults().cut_per_write) && !there.cut_at) {
    there.cut_at = there.pipe.written_count() + line.random().below(count);
  }
  there.pipe.write(bytes.first(count));
  send_cut(side, count);
  return count;
}

void Stream::say_room(Side from) {
  Way& there = way(from);
  there.writable_event = 0;
  if (there.room_crosses && link(other(from)).severed() && !end(from).closed && !end(from).dead()) {
    const auto again = next_try(from, there.room, true);
    if (!again) return give_up(from);
    there.writable_event = schedule(from, of(from, writable_there), *again);
    return;
  }
  there.room = {};
  notify(from);
}

void Stream::arrive(Side from) {
  Way& there = way(from);
  there.arrival_event = 0;
  const Side to = other(from);
  const Segment segment = there.segments.front();
  if (segment.kind == Kind::lost) return lose(from);
  if (link(from).severed() || end(to).vanished) return hold(from);
  there.segments.pop_front();
  there.held = {};
  if (end(to).closed || end(to).dead()) return answer_by_reset(from, segment.kind);
  switch (segment.kind) {
    case Kind::knock: offer(); break;
    case Kind::opened:
      cancel(timeout_event_);
      end(to).open = true;
      ground_.trace.add(node(to), TraceKind::stream_opened, id_);
      notify(to);
      break;
    case Kind::refused:
      cancel(timeout_event_);
      refused_ = true;
      end(to).broken = true;
      ground_.trace.add(node(to), TraceKind::stream_refused, id_);
      notify(to);
      break;
    case Kind::data: arrive_data(from, segment.size); break;
    case Kind::end:
      there.ended = true;
      ground_.trace.add(node(to), TraceKind::stream_ended, id_);
      notify(to);
      break;
    case Kind::reset: break_end(to, Reason::told); break;
    case Kind::lost: break;
  }
  arm(from);
}

// As TCP answers bytes that nobody will read.
void Stream::answer_by_reset(Side from, Kind kind) {
  const Side to = other(from);
  drop_coming(from);
  if (end(to).closed) way(from).pipe.drop_arrived();
  if (kind != Kind::reset && kind != Kind::refused && !end(from).closed && !end(from).dead()) send(to, Kind::reset, 0);
}

void Stream::arrive_data(Side from, std::size_t size) {
  Way& there = way(from);
  const Side to = other(from);
  Link& line = link(from);
  const bool cuts = there.cut_at && there.pipe.passed_count() + size >= *there.cut_at;
  if (cuts) size = static_cast<std::size_t>(*there.cut_at - there.pipe.passed_count());
  if (size > 0) size = tamper(from, size);
  if (size > 0) {
    const StreamOptions& options = line.faults().stream;
    const Duration stall = line.drawn_delay(options.stalled_read, options.stall_max, FaultKind::stalled_read);
    if (stall.ns > 0 && there.readable_event == 0) {
      there.readable_event = schedule(to, of(from, readable_there), ground_.schedule.now() + stall);
    }
    if (there.readable_event == 0) notify(to);
  }
  if (cuts) return cut();
  if (link(to).severed() && there.unheard_event == 0) hear(from);
}

// What arrives of the next `size` bytes: how many they are then.
std::size_t Stream::tamper(Side from, std::size_t size) {
  Link& line = link(from);
  Pipe& pipe = way(from).pipe;
  const std::size_t recorded_size = line.faults().link.recorded_size;
  ByteView bytes = pipe.next(size);
  const bool changed = line.tamper().watches(recorded_size) && line.tamper().pass(id_, bytes, recorded_size);
  if (!changed) {
    pipe.arrive(size);
  } else {
    bytes = line.tamper().arriving();
    for (const Tamper::Applied& each : line.tamper().applied()) {
      line.count(fault_of(each.kind));
      std::uint8_t payload[10] = {static_cast<std::uint8_t>(from), static_cast<std::uint8_t>(each.kind)};
      store_le<std::uint64_t>(payload + 2, pipe.received_count() + each.at);
      ground_.trace.add(node(other(from)), TraceKind::tampered, id_, payload);
    }
    pipe.arrive(size, bytes);
    if (bytes.size() < size) open_window(from);
  }
  if (!bytes.empty()) ground_.trace.add(node(other(from)), TraceKind::stream_bytes, id_, bytes);
  return bytes.size();
}

ByteView Stream::read(Side side, std::size_t size_max) {
  Way& there = way(other(side));
  Link& line = link(other(side));
  std::size_t size = std::min(unread_size(side), size_max);
  if (size == 0) return {};
  if (size > 1 && line.random().chance(line.faults().stream.short_read)) {
    const std::size_t all = std::exchange(size, static_cast<std::size_t>(line.random().between(1, size)));
    if (size < all) line.count(FaultKind::short_read);
  }
  const ByteView bytes = there.pipe.read(size);
  open_window(other(side));
  return bytes;
}

// Tells who waits for room in the window that there is some.
void Stream::open_window(Side from) {
  Way& there = way(from);
  if (!there.blocked || there.writable_event != 0 || end(from).dead()) return;
  there.blocked = false;
  there.room_crosses = true;
  there.writable_event = schedule(from, of(from, writable_there), link(other(from)).carry(0, ground_.schedule.now()).arrival);
}

std::size_t Stream::unread_size(Side side) const {
  const Way& there = way(other(side));
  return end(side).closed || there.readable_event != 0 ? 0 : there.pipe.arrived_size();
}

bool Stream::at_end(Side side) const { return way(other(side)).ended && way(other(side)).pipe.arrived_size() == 0; }
bool Stream::broken(Side side) const { return end(side).broken && way(other(side)).pipe.arrived_size() == 0; }

void Stream::drop_coming(Side from) {
  Way& there = way(from);
  there.segments.clear();
  there.held = {};
  cancel(there.arrival_event);
  there.pipe.drop_coming();
}

}  // namespace statefs::sim
