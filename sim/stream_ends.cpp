// How a stream stops: by a word of its own, without one, or because nothing gets through any more.
#include <algorithm>

#include "sim/stream.h"

namespace statefs::sim {

// When to try again what did not get through; nothing where the sender has tried for long enough.
std::optional<Time> Stream::next_try(Side from, Retry& retry, bool severed) {
  Link& line = link(from);
  const Time now = ground_.schedule.now();
  if (retry.tries == 0) {
    retry.since = now;
    if (severed) line.count(FaultKind::partition);
  }
  const Time last = retry.since + line.faults().link.give_up_after;
  if (now >= last) return std::nullopt;
  return std::min(now + line.backoff(retry.tries++), last);
}

// The first segment met a severed link, or a machine without power.
void Stream::hold(Side from) {
  Way& there = way(from);
  Segment& first = there.segments.front();
  const bool severed = link(from).severed();
  limit_connecting(never);
  if (first.kind == Kind::reset || end(from).gone) {
    if (severed) link(from).count(FaultKind::partition);
    return drop_coming(from);  // nobody sends it again
  }
  if (const auto again = next_try(from, there.held, severed)) {
    first.arrival = *again;
    return arm(from);
  }
  if (first.kind == Kind::knock) return time_out_connecting();
  give_up(from);
}

// What arrived could not be acknowledged: the sender tries as if it had not.
void Stream::hear(Side from) {
  Way& there = way(from);
  there.unheard_event = 0;
  if (!link(other(from)).severed() || end(from).closed || end(from).dead()) {
    there.unheard = {};
  } else if (const auto again = next_try(from, there.unheard, true)) {
    there.unheard_event = schedule(from, of(from, unheard_there), *again);
  } else {
    give_up(from);
  }
}

void Stream::give_up(Side from) {
  link(from).count(FaultKind::give_up);
  drop_coming(from);
  break_end(from, Reason::timed_out);
}

// The first segment was lost too often in a row.
void Stream::lose(Side from) {
  link(from).count(FaultKind::loss_break);
  if (from == Side::connector && connecting()) return time_out_connecting();
  drop_coming(from);
  break_end(from, Reason::timed_out);
  if (!end(from).vanished) send(from, Kind::reset, 0);
}

void Stream::break_end(Side side, Reason reason) {
  End& here = end(side);
  if (here.dead() || here.closed) return;
  retire();
  Link& line = link(other(side));
  Way& coming = way(other(side));
  // Where it was told, nothing comes behind that word; where it gave up, what still comes is answered by a reset.
  if (reason == Reason::told) drop_coming(other(side));
  if (line.random().chance(line.faults().stream.broken_unread)) {
    if (coming.pipe.arrived_size() > 0) {
      line.count(FaultKind::broken_unread);
      coming.ended = false;  // it is no clean end where bytes before it are lost
    }
    coming.pipe.drop_arrived();
  }
  drop_coming(side);
  if (end(other(side)).closed) way(side).pipe.drop_arrived();
  here.reason = reason;
  const StreamOptions& options = line.faults().stream;
  const Duration late = here.open ? line.drawn_delay(options.late_error, options.error_delay_max, FaultKind::late_error) : Duration{};
  if (late.ns == 0) return tell_broken(side);
  here.late_event = schedule(side, of(side, late_connector), ground_.schedule.now() + late);
}

void Stream::tell_broken(Side side) {
  End& here = end(side);
  here.late_event = 0;
  if (here.closed) return;
  here.broken = true;
  if (side == Side::connector) cancel(timeout_event_);
  const Bytes timed_out(here.reason == Reason::timed_out ? 1 : 0, 1);
  ground_.trace.add(node(side), TraceKind::stream_broken, id_, timed_out);
  notify(side);
}

void Stream::close(Side side) {
  End& here = end(side);
  if (here.closed) return;
  const bool ends_cleanly = here.open && !here.dead() && !here.finished_writing;
  const bool gives_up = connecting() && side == Side::connector;
  here.closed = true;
  retire();
  if (ends_cleanly) send_last(side, Kind::end);
  if (!gives_up) return;
  cancel(timeout_event_);
  forget_knock();
  // Across a severed link it hears nothing now: its answer finds nobody when it gets through.
  if (!link(side).severed()) {
    drop_coming(Side::acceptor);
    break_end(Side::acceptor, Reason::told);
  }
}

void Stream::finish_writing(Side side) {
  End& here = end(side);
  if (!is_open(side) || here.dead() || here.finished_writing) return;
  here.finished_writing = true;
  link(side).count(FaultKind::half_close);
  send_last(side, Kind::end);
}

void Stream::reset(Side side) {
  End& here = end(side);
  if (here.closed) return;
  const bool tells = here.open && !here.dead();
  here.closed = true;
  here.gone = true;
  retire();
  link(side).count(FaultKind::reset);
  if (side == Side::connector) forget_knock();
  way(other(side)).pipe.drop_arrived();
  if (tells) {
    drop_coming(other(side));
    send_last(side, Kind::reset);
  }
}

void Stream::vanish(Side side) {
  End& here = end(side);
  if (here.closed) return;
  here.closed = here.gone = here.vanished = true;
  retire();
  link(side).count(FaultKind::vanish);
  if (side == Side::connector) forget_knock();
}

// An acceptor that did not hear of the stream never will.
void Stream::forget_knock() {
  if (end(Side::acceptor).open || end(Side::acceptor).closed) return;
  drop_coming(Side::connector);
  end(Side::acceptor).closed = true;
}

void Stream::cut() {
  link(Side::connector).count(FaultKind::cut);
  retire();
  cancel(timeout_event_);
  forget_knock();
  drop_coming(Side::connector);
  drop_coming(Side::acceptor);
  break_end(Side::connector, Reason::told);
  break_end(Side::acceptor, Reason::told);
}

void Stream::cut_after(Side from, std::uint64_t byte_count) {
  way(from).cut_at = byte_count;
  if (way(from).pipe.passed_count() >= byte_count) cut();
}

// To an attacker it is an earlier stream from now on.
void Stream::retire() {
  ground_.there.tamper().ended(id_);
  ground_.back.tamper().ended(id_);
}

}  // namespace statefs::sim
