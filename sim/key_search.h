// KEY SEARCH: an order of the operations on one key that explains every answer, or the proof that there is none.
//
//   operation.h -> KEY SEARCH -> search.h (all keys)
//
// Wing and Gong: place some operation that no answered, unplaced one precedes; where nothing fits, take the last one back.
// Lowe: never go on twice from the same set of placed operations in the same state. Four rules cut the rest, and none of them
// loses an order: what is explained by the present state and leaves it alone is placed at once; an open effect is not placed
// where what comes behind it would do as well without it; of open operations that do the same, the one called first is first;
// no revision is made while something is left that needs a lower one.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <tuple>
#include <vector>

#include "sim/operation.h"

namespace statefs::sim {

// What a key holds. The revision that a write made and nobody was shown is no revision that the history names.
struct KeyVersion {
  bool present = false;
  std::uint64_t value = 0;
  std::optional<std::uint64_t> revision;

  [[nodiscard]] auto tied() const { return std::tie(present, value, revision); }
  [[nodiscard]] bool shows(std::uint64_t named) const { return present ? revision == named : named == 0; }
  [[nodiscard]] bool meets(const std::optional<std::uint64_t>& expected) const { return !expected || shows(*expected); }
};

struct KeyState {
  KeyVersion now;
  KeyVersion kept;             // what a restart leaves
  bool losing = false;         // an effect was placed that the next restart takes
  std::uint64_t highest = 0;   // of the revisions so far
  std::size_t restarts = 0;    // placed
  bool unobserved = false;     // the last one placed was open and changed something, and this is what it changed:
  KeyVersion before;

  [[nodiscard]] auto tied() const {
    return std::tuple_cat(now.tied(), kept.tied(), before.tied(), std::tie(losing, highest, restarts, unobserved));
  }
};

class KeySearch {
 public:
  enum class Verdict : std::uint8_t { ok, violation, undecided };

  // A search for the blame leaves out the rule that looks at reads to come: it takes longer, and gets stuck where the answer
  // that cannot be right is, not at the write that it misses.
  enum class Aim : std::uint8_t { verdict, blame };

  // `members` are places in `history`, which outlives the search: all operations of the key, and all restarts.
  KeySearch(std::span<const Operation> history, std::vector<std::size_t> members, Aim aim);

  // Once. Undecided when `steps_max` ways to go on were tried.
  [[nodiscard]] Verdict run(std::uint64_t steps_max);
  [[nodiscard]] std::uint64_t steps() const { return steps_; }
  // As places in the history: the order that explains most answers, and what was under way behind it.
  [[nodiscard]] std::vector<std::size_t> placed() const { return in_history(best_order_); }
  [[nodiscard]] std::vector<std::size_t> unplaced() const { return in_history(blocked_); }

 private:
  // Calls and returns in the order of time: a ring from which an operation is lifted while it is placed. 0 is its ends.
  struct Event {
    std::size_t op = 0;
    bool is_return = false;
    std::size_t next = 0;
    std::size_t before = 0;
  };
  struct Frame {
    std::size_t op;
    std::size_t choice;  // which of the states that follow
    KeyState before;
    std::size_t placed_before;
  };
  // The revisions that no PUT was told to have made: one that was told nothing may have made them.
  struct Named {
    std::map<std::uint64_t, std::set<std::uint64_t>> values;  // that a GET showed with each
    std::set<std::uint64_t> seen;                             // those that were there, and others
    bool reads_tell_revisions = true;
  };
  struct Configuration {
    std::uint64_t hash;
    std::vector<std::uint64_t> placed;
    KeyState state;
    bool operator<(const Configuration& other) const;
  };

  [[nodiscard]] const Operation& operation(std::size_t op) const { return history_[members_[op]]; }
  [[nodiscard]] bool is_placed(std::size_t op) const { return (placed_[op / 64] >> (op % 64) & 1) != 0; }
  [[nodiscard]] std::vector<std::size_t> in_history(const std::vector<std::size_t>& ops) const;
  void link_events();
  [[nodiscard]] Named find_named();
  void find_makers(const Named& named);
  void find_twins();

  [[nodiscard]] bool changes_nothing(const Operation& each) const;
  void follow(std::size_t op);
  [[nodiscard]] bool may_make(std::uint64_t revision) const;
  [[nodiscard]] bool needs_what_it_sees(const Operation& each) const;
  void follow_put(std::size_t op);
  void follow_effect(const Operation& each, const KeyVersion& version, std::uint64_t highest);
  [[nodiscard]] bool try_from(std::size_t op, std::size_t choice);
  void absorb();
  void place(std::size_t op);
  void take_back(const Frame& frame);
  void unlink(std::size_t event);
  void relink(std::size_t event);
  [[nodiscard]] Configuration configuration() const;
  void note_blocked();

  // Operations are known by their place in `members_`.
  std::span<const Operation> history_;
  std::vector<std::size_t> members_;
  Aim aim_;
  std::vector<Event> events_;
  std::vector<std::size_t> call_, return_;             // the events of each; 0: none
  std::vector<std::vector<std::uint64_t>> revisions_;  // that a PUT which was not told its own may have made ...
  std::vector<bool> is_maker_;                         // ... and must have, because no other can
  std::multimap<std::uint64_t, std::size_t> due_;      // by revision: what has no place behind a higher one
  std::vector<std::uint64_t> values_;                  // 0 where nobody can have seen it
  std::vector<std::size_t> twin_;                      // the open one before that does the same; itself: none
  std::size_t restart_count_ = 0;

  KeyState state_;
  std::vector<std::uint64_t> placed_;  // a bit for each
  std::vector<std::size_t> order_;
  std::vector<Frame> frames_;
  std::size_t answered_left_ = 0;      // to be placed
  std::vector<KeyState> choices_;
  std::set<Configuration> visited_;
  std::uint64_t steps_ = 0;
  std::size_t least_left_ = 0;
  std::vector<std::size_t> best_order_, blocked_;
};

}  // namespace statefs::sim
