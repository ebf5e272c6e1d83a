// OPERATION: what one client asked of one key and what it was told, as values that a search for an order needs.
//
//   history.h (calls, of a trace or recorded over real streams) -> OPERATION -> search.h
//
// The model of a key. It begins absent. PUT makes it present with a value and a new revision, higher than every one of the key
// before; DELETE makes it absent. A condition is the revision that must be present, 0 for absent; a DELETE of an absent key is
// not found whatever its condition. An operation takes effect at one moment of [called, answered). An open one, whose outcome
// nobody knows, takes effect at any moment after its call, or never. What is known to have had no effect, and a GET without an
// answer, tell nothing and are left out.
//
// Lost writes. A `restart` concerns every key: at one moment of its interval whatever was not durable is undone, and that is
// a suffix of the effects since the restart before. `loss` says whether an effect was in it. `yes` is for a certain LostWrite
// of Client::take_lost(): it was there to be seen, and the next restart took it. `maybe` is for one that is not certain, and
// for a write whose client never came back to be told; an open operation always may be, and one with `yes` is never kept: it
// stands for the first run of what was sent again behind a restart that took it. Not modelled: that a restart takes a suffix
// over all keys together, and that an operation sent before a restart takes no effect behind it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/history.h"

namespace statefs::sim {

// Any number that orders what happened: of two events, the later one has the greater.
using Moment = std::uint64_t;

struct Operation {
  enum class Kind : std::uint8_t { put, get, del, restart };
  enum class Result : std::uint8_t {
    open,               // PUT and DELETE: sent, and nobody can say whether it ran
    ok,                 // also of a restart
    not_found,          // GET and DELETE
    revision_conflict,  // the condition did not hold; of a GET, that is REVISION_CHANGED
  };
  enum class Loss : std::uint8_t { no, maybe, yes };

  Kind kind = Kind::get;
  Result result = Result::open;
  Loss loss = Loss::no;                   // of an effect
  std::string key;                        // not of a restart
  Moment called = 0;
  Moment answered = 0;                    // after `called`; not of an open one
  std::uint64_t value = 0;                // a name for the bytes: of a PUT those asked for, of a GET those answered
  std::optional<std::uint64_t> expected;  // the condition
  std::optional<std::uint64_t> revision;  // as answered: of a PUT the new one, else the one present, 0: absent; none: not told
};

[[nodiscard]] std::string describe(const Operation& operation);

// Of PUT, GET and DELETE, in the order of their calls; values are named by their hashes. Left out is what tells nothing, a GET
// of a part of a value, and what the key or the policy refused. The history has no restart in it.
[[nodiscard]] std::vector<Operation> operations_of(const History& history);

}  // namespace statefs::sim
