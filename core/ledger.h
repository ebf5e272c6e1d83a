// LEDGER: the client's half of the slots: which call is on which slot, and which answered writes may still be lost.
//
//   rejoin.h (what a RESUME says) -> LEDGER <- client.h (calls, answers)
//
// A slot carries one call at a time. A write that was answered is kept until an audit head that the server calls durable
// covers it: if a later table of the server is behind it, it was lost with an unsynced suffix, and is reported as that,
// never sent again. One that a table or OUTCOME calls durable is told: nothing but a rollback takes it away, which no epoch of a
// store survives, and which only a head shows; so it stays, and a head is asked for. A call that ended by its deadline leaves
// its slot occupied until its fate is known or fenced.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "core/limits.h"
#include "core/marks.h"
#include "core/request.h"
#include "core/response.h"

namespace statefs {

using CallId = std::uint64_t;

// What the status of an answer to a mutation says of its slot.
enum class SlotSays : std::uint8_t {
  consumed,      // the sequence was used
  not_consumed,  // it was not: the slot is free for another call
  rejoin,        // the session must be looked into
  impossible,    // no server that keeps its promises answers so
};
[[nodiscard]] SlotSays slot_says(Status status);

// A write that was answered OK and is gone, or may be.
struct LostWrite {
  CallId call = 0;
  std::uint64_t index = 0;  // as answered
  bool certain = true;      // false: the server no longer knows
  friend bool operator==(const LostWrite&, const LostWrite&) = default;
};

// What became of a call that was in flight when its stream broke.
struct Fate {
  enum class Kind : std::uint8_t {
    executed,      // `slot` is what the server recorded
    not_executed,  // and never will be: it may be sent again
    unknown,
  };
  CallId call = 0;
  Kind kind = Kind::unknown;
  SlotState slot;
};

class Ledger {
 public:
  // `marks` outlives the ledger.
  explicit Ledger(Marks& marks) : marks_(marks) {}

  // The store of the server and its epoch, as HELLO says them on each connection: what is told from here on is told by that store, in that
  // epoch. What another store had told counts no more.
  void greeted(const StoreId& store, std::uint64_t epoch);
  // Slots with nothing on them, as many as the server gives, of a session that has just been opened. No write of an earlier one is left.
  void renew(std::size_t slot_count);

  [[nodiscard]] bool has_room() const;  // a slot is free, and fewer than limits::client_unsynced_max writes are unsynced or lost and not taken
  // Whether the list of answered writes asks for a SYNC: it is long, or
  [[nodiscard]] bool wants_sync() const { return unsynced_.size() >= limits::client_unsynced_max / 2 || wants_head(); }
  // there are writes in it that were told to be durable, and no head was that shows it.
  [[nodiscard]] bool wants_head() const { return told_index_ != 0; }
  // Occupies a slot; only where has_room(). Session and generation of the reference are the caller's to fill in.
  [[nodiscard]] SlotRef take(CallId call);
  // The answer to the call on `slot`: its sequence was used (and `index` is its record's), or it was not.
  void consumed(std::uint16_t slot, std::uint64_t index, bool written);
  void not_consumed(std::uint16_t slot);
  // The call ended by its deadline: its program was told that its outcome is unknown, and is told of no loss.
  void expired(CallId call);
  // A head covers everything up to `index`, in the history that this session is part of.
  void durable(std::uint64_t index);

  // The server's table, of a session that it resumed or ended. False where no server could have come to it.
  [[nodiscard]] bool possible(std::span<const SlotState> server) const;
  // Whether it is behind what was answered.
  [[nodiscard]] bool behind(std::span<const SlotState> server) const;
  // Takes it over: answered writes above it are lost, calls in flight get their fate, and no slot is occupied any more.
  [[nodiscard]] std::vector<Fate> settle(std::span<const SlotState> server);

  // The server's history is another: nothing that it says of these slots counts. Answered writes that were not known durable may be
  // lost, and of calls in flight nobody can tell.
  [[nodiscard]] std::vector<Fate> abandon();

  // Where the table is gone: the next question about it, the last sequence of a slot first, and what OUTCOME said.
  struct Question {
    std::uint16_t slot = 0;
    std::uint64_t sequence = 0;
  };
  [[nodiscard]] std::optional<Question> question() const;
  // The fate of the call that the question was about, where it was in flight.
  [[nodiscard]] std::optional<Fate> learn(const Question& about, const OutcomeResponse& said);

  [[nodiscard]] bool idle() const;  // nothing in flight, nothing unsynced
  // Whoever never takes them sends no more writes in the end: has_room().
  [[nodiscard]] std::optional<LostWrite> take_lost();
  [[nodiscard]] std::uint64_t lost_count() const { return lost_count_; }  // ever

 private:
  struct Place {
    std::uint64_t answered = 0;     // the last sequence whose answer came
    std::optional<CallId> in_flight;  // at answered + 1
    bool expired = false;             // that one
  };
  struct Write {
    std::uint16_t slot = 0;
    std::uint64_t sequence = 0;
    CallId call = 0;
    std::uint64_t index = 0;
    std::optional<std::uint64_t> told_in{};  // the last epoch in which a table or OUTCOME said that it is durable
  };
  [[nodiscard]] bool is_told(const Write& write) const { return write.told_in == epoch_; }
  void add(const Write& write);
  void keep(std::uint16_t slot, const SlotState& executed);       // the call in flight there, if its program is told of it
  void told(std::uint16_t slot, std::uint64_t up_to);             // these are durable
  void lose(std::uint16_t slot, std::uint64_t above);             // these are gone
  void doubt(std::uint16_t slot);                                 // nobody can tell: those may be gone that were not told in this epoch
  template <typename Which>
  void report(Which which, bool certain);

  Marks& marks_;
  std::vector<Place> places_;    // at most a frame's worth of slots, as the server's OPEN said
  StoreId store_{};
  std::uint64_t epoch_ = 0;
  std::deque<Write> unsynced_;   // by ascending index; these and
  std::deque<LostWrite> lost_;   // these are at most limits::client_unsynced_max together
  std::uint64_t told_index_ = 0; // the highest of unsynced writes that were told to be durable; 0: none
  std::uint64_t lost_count_ = 0;
};

}  // namespace statefs
