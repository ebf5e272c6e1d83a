#include "sim/stream.h"

#include <algorithm>

namespace statefs::sim {
namespace {

enum : std::uint32_t { knock = 1, opening, refusing, arrival_there, arrival_back, writable_there, writable_back };

constexpr std::size_t segments_per_write_max = 24;

// Sizes at which a receiver's parser is between two thoughts: the length prefix (2), the frame header (16) and the tag
// (16) and their sums, and the handshake messages with their prefix (50, 66).
constexpr std::size_t edge_sizes[] = {1, 2, 3, 15, 16, 17, 18, 19, 31, 32, 33, 34, 35, 48, 49, 50, 51, 65, 66, 67};

}  // namespace

Stream::Stream(StreamId id, const Ground& ground) : id_(id), ground_(ground) {
  opening_event_ = schedule(Side::acceptor, knock, link(Side::connector).carry(0, ground_.schedule.now()));
}

Stream::~Stream() {
  ground_.schedule.cancel(opening_event_);
  for (Pipe& each : pipes_) {
    ground_.schedule.cancel(each.arrival_event);
    ground_.schedule.cancel(each.writable_event);
  }
}

EventId Stream::schedule(Side side, std::uint32_t kind, Time time) {
  return ground_.schedule.at(time, {this, node(side), kind, id_});
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
    case knock: offer(); break;
    case opening:
      opening_event_ = 0;
      end(Side::connector).open = true;
      ground_.trace.add(node(Side::connector), TraceKind::stream_opened, id_);
      notify(Side::connector);
      break;
    case refusing:
      opening_event_ = 0;
      refused_ = true;
      end(Side::connector).broken = true;
      ground_.trace.add(node(Side::connector), TraceKind::stream_refused, id_);
      notify(Side::connector);
      break;
    case arrival_there: arrive(Side::connector); break;
    case arrival_back: arrive(Side::acceptor); break;
    case writable_there: pipe(Side::connector).writable_event = 0; notify(Side::connector); break;
    case writable_back: pipe(Side::acceptor).writable_event = 0; notify(Side::acceptor); break;
    default: STATEFS_CHECK(false);
  }
}

void Stream::offer() {
  opening_event_ = 0;
  Link& back = link(Side::acceptor);
  const Time answered = back.carry(0, ground_.schedule.now());
  End& acceptor = end(Side::acceptor);
  acceptor.open = true;
  ground_.trace.add(node(Side::acceptor), TraceKind::stream_offered, id_);
  const auto listener = ground_.listeners.find(node(Side::acceptor));
  acceptor_ = listener == ground_.listeners.end() ? nullptr : listener->second;
  if (acceptor_ != nullptr && !back.chance(back.faults().stream.refused, FaultKind::refused) && acceptor_->stream_offered({id_, Side::acceptor})) {
    pipe(Side::acceptor).last_arrival = answered;
    opening_event_ = schedule(Side::connector, opening, answered);
  } else {
    acceptor.open = false;
    acceptor.closed = true;
    opening_event_ = schedule(Side::connector, refusing, answered);
  }
}

void Stream::arm(Side from) {
  Pipe& way = pipe(from);
  if (way.arrival_event != 0 || way.segments.empty()) return;
  const Time time = std::max(way.segments.front().arrival, ground_.schedule.now());
  way.arrival_event = schedule(other(from), from == Side::connector ? arrival_there : arrival_back, time);
}

void Stream::send(Side from, Kind kind, std::size_t size) {
  Pipe& way = pipe(from);
  way.last_arrival = std::max(way.last_arrival, link(from).carry(size, ground_.schedule.now()));
  way.segments.push_back({way.last_arrival, size, kind});
  arm(from);
}

void Stream::send_cut(Side from, std::size_t size) {
  RandomStream& random = link(from).random();
  const CutWeights& weights = link(from).faults().stream.cuts;
  const std::uint64_t total = std::uint64_t{weights.whole} + weights.drawn + weights.one_byte + weights.edges;
  std::uint64_t way = total == 0 || weights.whole == total ? 0 : random.below(total);
  if (way < weights.whole || total == 0) return send(from, Kind::data, size);
  way -= weights.whole;
  if (size > 1) {
    const bool drawn = way < weights.drawn;
    link(from).count(drawn ? FaultKind::cut_drawn : way < std::uint64_t{weights.drawn} + weights.one_byte ? FaultKind::cut_one_byte
                                                                                                         : FaultKind::cut_edges);
  }
  for (std::size_t segments = 1; size > 0; ++segments) {
    std::size_t next = size;
    if (segments < segments_per_write_max) {
      if (way < weights.drawn) {
        next = static_cast<std::size_t>(random.skewed(size - 1)) + 1;
      } else if (way < std::uint64_t{weights.drawn} + weights.one_byte) {
        next = 1;
      } else {
        next = edge_sizes[random.below(std::size(edge_sizes))];
      }
      next = std::min(next, size);
    }
    send(from, Kind::data, next);
    size -= next;
  }
}

std::size_t Stream::write(Side side, ByteView bytes) {
  if (!is_open(side) || end(side).broken || bytes.empty()) return 0;
  Pipe& way = pipe(side);
  Link& line = link(side);
  const StreamOptions& options = line.faults().stream;
  const std::size_t held = way.buffer.size() - way.head;
  std::size_t count = held < options.send_window ? std::min(options.send_window - held, bytes.size()) : 0;
  if (count > 0 && line.chance(options.blocked_write, FaultKind::blocked_write)) {
    if (way.writable_event == 0) {
      way.writable_event = schedule(side, side == Side::connector ? writable_there : writable_back, line.carry(0, ground_.schedule.now()));
    }
    return 0;
  }
  if (count > 1 && line.chance(options.short_write, FaultKind::short_write)) count = line.random().between(1, count);
  way.blocked = count < bytes.size();
  if (count == 0) return 0;
  if (line.random().chance(line.faults().cut_per_write) && !way.cut_at) way.cut_at = way.written + line.random().below(count);
  if (way.head > 4096 && way.head * 2 > way.buffer.size()) {
    way.buffer.erase(way.buffer.begin(), way.buffer.begin() + static_cast<std::ptrdiff_t>(way.head));
    way.head = 0;
  }
  way.buffer.insert(way.buffer.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
  way.written += count;
  send_cut(side, count);
  return count;
}

void Stream::arrive(Side from) {
  Pipe& way = pipe(from);
  way.arrival_event = 0;
  const Segment segment = way.segments.front();
  way.segments.pop_front();
  const Side to = other(from);
  if (end(to).closed) {
    // As TCP answers bytes that nobody will read.
    drop(from, true);
    if (segment.kind == Kind::data && !end(from).closed && !end(from).broken) send(to, Kind::reset, 0);
    return;
  }
  switch (segment.kind) {
    case Kind::data: arrive_data(from, segment.size); break;
    case Kind::end:
      way.ended = true;
      ground_.trace.add(node(to), TraceKind::stream_ended, id_);
      notify(to);
      break;
    case Kind::reset: break_end(to); break;
  }
  arm(from);
}

void Stream::arrive_data(Side from, std::size_t size) {
  Pipe& way = pipe(from);
  const bool cuts = way.cut_at && way.delivered + size >= *way.cut_at;
  if (cuts) size = static_cast<std::size_t>(*way.cut_at - way.delivered);
  if (size > 0) {
    const ByteView bytes = ByteView(way.buffer).subspan(way.head + way.arrived, size);
    way.arrived += size;
    way.delivered += size;
    ground_.trace.add(node(other(from)), TraceKind::stream_bytes, id_, bytes);
    notify(other(from));
  }
  if (cuts) cut();
}

ByteView Stream::read(Side side, std::size_t size_max) {
  Pipe& way = pipe(other(side));
  Link& line = link(other(side));
  std::size_t size = std::min(way.arrived, size_max);
  if (size == 0 || end(side).closed) return {};
  if (size > 1 && line.chance(line.faults().stream.short_read, FaultKind::short_read)) size = line.random().between(1, size);
  const ByteView bytes = ByteView(way.buffer).subspan(way.head, size);
  way.head += size;
  way.arrived -= size;
  if (way.blocked && way.writable_event == 0 && !end(other(side)).broken) {
    way.blocked = false;
    const Time time = link(side).carry(0, ground_.schedule.now());
    way.writable_event = schedule(other(side), side == Side::acceptor ? writable_there : writable_back, time);
  }
  return bytes;
}

bool Stream::at_end(Side side) const { return pipe(other(side)).ended && unread_size(side) == 0; }
bool Stream::broken(Side side) const { return end(side).broken && unread_size(side) == 0; }

void Stream::drop(Side from, bool arrived_too) {
  Pipe& way = pipe(from);
  way.segments.clear();
  ground_.schedule.cancel(way.arrival_event);
  way.arrival_event = 0;
  if (arrived_too) way.arrived = 0;
  way.buffer.resize(way.head + way.arrived);
}

void Stream::break_end(Side side) {
  if (end(side).broken || end(side).closed) return;
  end(side).broken = true;
  Link& line = link(other(side));
  drop(other(side), line.random().chance(line.faults().stream.broken_unread));
  drop(side, end(other(side)).closed);
  ground_.trace.add(node(side), TraceKind::stream_broken, id_);
  notify(side);
}

void Stream::close(Side side) {
  if (end(side).closed) return;
  const bool ends_cleanly = end(side).open && !end(side).broken;
  end(side).closed = true;
  pipe(other(side)).arrived = 0;
  if (side == Side::connector && !end(side).open) {
    cut();
  } else if (ends_cleanly) {
    send(side, Kind::end, 0);
  }
}

void Stream::reset(Side side) {
  if (end(side).closed) return;
  const bool tells = end(side).open && !end(side).broken;
  end(side).closed = true;
  drop(other(side), true);
  if (tells) send(side, Kind::reset, 0);
}

void Stream::cut() {
  ground_.schedule.cancel(opening_event_);
  opening_event_ = 0;
  if (!end(Side::acceptor).open) end(Side::acceptor).closed = true;  // it never heard of the stream
  break_end(Side::connector);
  break_end(Side::acceptor);
}

void Stream::cut_after(Side from, std::uint64_t byte_count) {
  pipe(from).cut_at = byte_count;
  if (pipe(from).delivered >= byte_count) cut();
}

}  // namespace statefs::sim
