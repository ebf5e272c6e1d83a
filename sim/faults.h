// FAULTS: what may go wrong in a world, as plain numbers that are printed whole with the seed, and how often it did.
//
//   main.h, tests -> FAULTS -> link.h (delay, bandwidth, loss), stream.h (cuts, short writes, resets)
//   link.h, stream.h, node.h (add) -> FaultCounts -> the campaign
//
// Every kind can be off, and all are by default: a world of default options delivers each write whole after 1 ms. A kind
// that is off draws nothing. Bounds of time that only matter once something else went wrong have a default.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/time.h"
#include "sim/random.h"

namespace statefs::sim {

// Of one direction between two nodes.
struct LinkOptions {
  Duration latency = milliseconds(1);
  Duration jitter;                        // up to this much more, drawn for each segment; order is kept
  std::uint64_t bytes_per_second = 0;     // 0: no bound
  Ratio loss{};                           // of each try of a segment; what is lost is sent again, later
  Duration rto_min = milliseconds(200);   // until the first retry, twice that until the next
  std::uint64_t retransmissions_max = 8;  // lost once more: the stream breaks, each end in its own time
  Duration give_up_after = seconds(60);   // nothing came back for so long: the sender's end breaks, the other hears nothing
  Duration connect_timeout = seconds(60);
  std::size_t recorded_size = 0;          // first bytes of each stream that an attacker keeps (see tamper.h)
};

// How writes become segments: each write draws one way by weight; all zero is `whole`.
struct CutWeights {
  std::uint32_t whole = 1;
  std::uint32_t drawn = 0;      // at drawn places
  std::uint32_t one_byte = 0;   // single bytes first, the rest in one
  std::uint32_t edges = 0;      // sizes around those of length, header, tag and handshake messages
};

struct StreamOptions {
  std::size_t send_window = 256 * 1024;  // bytes written and not read at most
  CutWeights cuts;
  Ratio short_write;                     // a write takes only a part of what it was offered
  Ratio blocked_write;                   // a write takes nothing although there was room
  Ratio short_read;                      // a read sees only a part of what arrived
  Ratio refused;                         // a connection is refused
  Ratio broken_unread;                   // a broken stream loses what had arrived and was not read
  Ratio slow_close{};                    // the last word of an end, clean or not, is late
  Duration close_delay_max{};
  Ratio stalled_read{};                  // what arrived, and what comes after it, cannot be read for a while
  Duration stall_max{};
  Ratio late_error{};                    // an end of a broken stream is told late; until then it writes into nothing
  Duration error_delay_max{};
};

struct Faults {
  LinkOptions link;
  StreamOptions stream;
  Ratio cut_per_write;   // a stream is cut within some bytes of a write: at a drawn place, both sides at once
};

// Calls visit(name, member) for every number, in one order: whoever prints, parses or shrinks them uses this list. Members
// are Duration, Ratio, std::size_t, std::uint64_t and std::uint32_t; `F` is Faults, const or not.
template <typename F, typename Visit>
void for_each_field(F& faults, Visit visit) {
  visit("link.latency_ns", faults.link.latency);
  visit("link.jitter_ns", faults.link.jitter);
  visit("link.bytes_per_second", faults.link.bytes_per_second);
  visit("link.loss", faults.link.loss);
  visit("link.rto_min_ns", faults.link.rto_min);
  visit("link.retransmissions_max", faults.link.retransmissions_max);
  visit("link.give_up_after_ns", faults.link.give_up_after);
  visit("link.connect_timeout_ns", faults.link.connect_timeout);
  visit("link.recorded_size", faults.link.recorded_size);
  visit("stream.send_window", faults.stream.send_window);
  visit("stream.cuts.whole", faults.stream.cuts.whole);
  visit("stream.cuts.drawn", faults.stream.cuts.drawn);
  visit("stream.cuts.one_byte", faults.stream.cuts.one_byte);
  visit("stream.cuts.edges", faults.stream.cuts.edges);
  visit("stream.short_write", faults.stream.short_write);
  visit("stream.blocked_write", faults.stream.blocked_write);
  visit("stream.short_read", faults.stream.short_read);
  visit("stream.refused", faults.stream.refused);
  visit("stream.broken_unread", faults.stream.broken_unread);
  visit("stream.slow_close", faults.stream.slow_close);
  visit("stream.close_delay_max_ns", faults.stream.close_delay_max);
  visit("stream.stalled_read", faults.stream.stalled_read);
  visit("stream.stall_max_ns", faults.stream.stall_max);
  visit("stream.late_error", faults.stream.late_error);
  visit("stream.error_delay_max_ns", faults.stream.error_delay_max);
  visit("cut_per_write", faults.cut_per_write);
}

// `name=value` of every field, a Ratio as part/whole, parted by spaces.
[[nodiscard]] std::string describe(const Faults& faults);

// What may be applied, each counted when it was: not when it was allowed, nor when a draw said no.
enum class FaultKind : std::uint8_t {
  jitter,         // link
  bandwidth,      // a segment waited for those before it
  loss,           // one try of one segment
  loss_break,     // lost too often in a row
  clog,           // a segment waited for block_until()
  partition,      // a segment, or what answers it, met a severed link
  give_up,        // nothing was heard for too long: a half-open stream
  connect_timeout,
  cut_drawn,      // stream: the ways in which a write was torn
  cut_one_byte,
  cut_edges,
  short_write,
  blocked_write,
  full_window,    // a write took less than it was offered for want of room
  short_read,
  stalled_read,
  refused,
  broken_unread,  // bytes that had arrived were lost
  cut,
  reset,
  vanish,
  half_close,
  slow_close,
  late_error,
  flip,           // attack: tamper.h
  truncate,
  duplicate,
  insert,
  replay,
  splice,
  crash,          // node
  restart,
  pause,
  power_loss,
  store_loss,     // store
  store_failure,
  store_full,
  store_slow,
  policy_change,
  clock_step,     // clock
  clock_drift,
  eviction,
  disk_crash,        // disk: a machine stopped at one request
  disk_read_error,
  disk_write_error,
  disk_flush_error,
  disk_rot,
  disk_misdirected,
  disk_swap,
};
constexpr std::size_t fault_kind_count = static_cast<std::size_t>(FaultKind::disk_swap) + 1;

[[nodiscard]] std::string_view name_of(FaultKind kind);

// How often each kind was applied in a world, or in many.
class FaultCounts {
 public:
  void add(FaultKind kind, std::uint64_t count = 1) { counts_[static_cast<std::size_t>(kind)] += count; }
  void add(const FaultCounts& others);
  [[nodiscard]] std::uint64_t operator[](FaultKind kind) const { return counts_[static_cast<std::size_t>(kind)]; }

 private:
  std::array<std::uint64_t, fault_kind_count> counts_{};
};

}  // namespace statefs::sim
