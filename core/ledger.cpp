#include "core/ledger.h"

#include <algorithm>
#include <utility>

#include "core/check.h"

namespace statefs {

SlotSays slot_says(Status status) {
  switch (status) {
    case Status::ok:
    case Status::not_found:
    case Status::access_denied:
    case Status::value_too_large:
    case Status::key_too_long:
    case Status::invalid_key:
    case Status::revision_conflict:
    case Status::quota_exceeded:
    case Status::digest_mismatch: return SlotSays::consumed;
    case Status::io_error:
    case Status::unsupported:
    case Status::stage_missing:
    case Status::overloaded:
    case Status::audit_unavailable:
    case Status::no_space: return SlotSays::not_consumed;
    case Status::in_progress:
    case Status::session_unknown:
    case Status::fenced: return SlotSays::rejoin;
    case Status::malformed:
    case Status::revision_changed:
    case Status::epoch_changed:
    case Status::false_retry:
    case Status::sequence_old:
    case Status::sequence_gap:
    case Status::session_limit: return SlotSays::impossible;
  }
  return SlotSays::impossible;
}

void Ledger::greeted(const StoreId& store, std::uint64_t epoch) {
  epoch_ = epoch;
  if (std::exchange(store_, store) == store) return;
  for (Write& write : unsynced_) write.told_in.reset();
  told_index_ = 0;
}

void Ledger::renew(std::size_t slot_count) {
  STATEFS_CHECK(unsynced_.empty());
  places_.assign(slot_count, Place{});
}

bool Ledger::has_room() const {
  if (unsynced_.size() + lost_.size() + places_.size() > limits::client_unsynced_max) {
    STATEFS_MARK("ledger.full");
    return false;
  }
  return std::any_of(places_.begin(), places_.end(), [](const Place& place) { return !place.in_flight; });
}

SlotRef Ledger::take(CallId call) {
  const auto free = std::find_if(places_.begin(), places_.end(), [](const Place& place) { return !place.in_flight; });
  STATEFS_CHECK(free != places_.end());
  free->in_flight = call;
  free->expired = false;
  SlotRef at;
  at.slot = static_cast<std::uint16_t>(free - places_.begin());
  at.sequence = free->answered + 1;
  return at;
}

void Ledger::consumed(std::uint16_t slot, std::uint64_t index, bool written) {
  Place& place = places_.at(slot);
  STATEFS_CHECK(place.in_flight.has_value());
  ++place.answered;
  if (written) add({slot, place.answered, *place.in_flight, index});
  place.in_flight.reset();
}

// Answers of one connection come in the order of their indices; those that a table gives need not be.
void Ledger::add(const Write& write) {
  const auto at = std::upper_bound(unsynced_.begin(), unsynced_.end(), write.index,
                                   [](std::uint64_t index, const Write& other) { return index < other.index; });
  unsynced_.insert(at, write);
}

void Ledger::expired(CallId call) {
  for (Place& place : places_) place.expired = place.expired || place.in_flight == call;
}

void Ledger::not_consumed(std::uint16_t slot) {
  STATEFS_CHECK(places_.at(slot).in_flight.has_value());
  STATEFS_MARK("ledger.slot_freed");
  places_.at(slot).in_flight.reset();
}

void Ledger::durable(std::uint64_t index) {
  while (!unsynced_.empty() && unsynced_.front().index <= index) unsynced_.pop_front();
  if (told_index_ <= index || unsynced_.empty()) told_index_ = 0;
}

bool Ledger::possible(std::span<const SlotState> server) const {
  if (server.size() != places_.size()) return false;
  for (std::size_t i = 0; i < places_.size(); ++i) {
    if (server[i].sequence > places_[i].answered + (places_[i].in_flight ? 1 : 0)) return false;
  }
  return true;
}

bool Ledger::behind(std::span<const SlotState> server) const {
  STATEFS_CHECK(possible(server));
  for (std::size_t i = 0; i < places_.size(); ++i) {
    if (server[i].sequence < places_[i].answered) return true;
  }
  return false;
}

std::vector<Fate> Ledger::settle(std::span<const SlotState> server) {
  STATEFS_CHECK(possible(server));
  std::vector<Fate> fates;
  for (std::size_t i = 0; i < places_.size(); ++i) {
    Place& place = places_[i];
    const bool executed = server[i].sequence > place.answered;
    const auto slot = static_cast<std::uint16_t>(i);
    if (place.in_flight) {
      if (executed) STATEFS_MARK("ledger.found_executed");
      else STATEFS_MARK("ledger.found_not_executed");
      fates.push_back({*place.in_flight, executed ? Fate::Kind::executed : Fate::Kind::not_executed, server[i]});
      if (executed) keep(slot, server[i]);
      place.in_flight.reset();
    }
    lose(slot, server[i].sequence);
    told(slot, server[i].sequence);
    place.answered = server[i].sequence;
  }
  return fates;
}

std::vector<Fate> Ledger::abandon() {
  std::vector<Fate> fates;
  for (std::size_t i = 0; i < places_.size(); ++i) {
    if (places_[i].in_flight) fates.push_back({*places_[i].in_flight, Fate::Kind::unknown, {}});
  }
  places_.clear();
  report([](const Write&) { return true; }, false);
  return fates;
}

std::optional<Ledger::Question> Ledger::question() const {
  for (std::size_t i = 0; i < places_.size(); ++i) {
    if (places_[i].in_flight) return Question{static_cast<std::uint16_t>(i), places_[i].answered + 1};
  }
  const auto last = std::find_if(unsynced_.rbegin(), unsynced_.rend(), [this](const Write& write) { return !is_told(write); });
  if (last == unsynced_.rend()) return std::nullopt;
  // A server remembers the last of a slot alone, and that may be what was refused later; it shows as much.
  return Question{last->slot, std::max(last->sequence, places_[last->slot].answered)};
}

// One that was executed, or recorded, shows that everything before it on its slot is there too: the log is a prefix.
std::optional<Fate> Ledger::learn(const Question& about, const OutcomeResponse& said) {
  Place& place = places_.at(about.slot);
  const bool recorded = said.outcome == Outcome::applied || said.outcome == Outcome::refused;
  const bool never_ran = said.outcome == Outcome::never_executed;
  if (!place.in_flight) {
    if (recorded) told(about.slot, about.sequence);
    else if (!never_ran) doubt(about.slot);
    else lose(about.slot, about.sequence - 1);
    if (never_ran) place.answered = about.sequence - 1;  // and the one before it is asked about
    return std::nullopt;
  }
  Fate fate{*place.in_flight, Fate::Kind::unknown, {}};
  if (recorded) {
    STATEFS_MARK("ledger.learned_executed");
    fate.kind = Fate::Kind::executed;
    fate.slot = {about.sequence, said.index, said.revision, said.recorded};
    keep(about.slot, fate.slot);
    told(about.slot, about.sequence);
    place.answered = about.sequence;
  } else if (never_ran) {
    STATEFS_MARK("ledger.learned_never");
    fate.kind = Fate::Kind::not_executed;
  } else {
    STATEFS_MARK("ledger.outcome_unknown");
    doubt(about.slot);
  }
  place.in_flight.reset();
  return fate;
}

void Ledger::keep(std::uint16_t slot, const SlotState& executed) {
  const Place& place = places_[slot];
  if (executed.status == Status::ok && !place.expired) add({slot, executed.sequence, *place.in_flight, executed.index});
}

// No head comes with what is told, so it stays here until one does.
void Ledger::told(std::uint16_t slot, std::uint64_t up_to) {
  for (Write& write : unsynced_) {
    if (write.slot != slot || write.sequence > up_to) continue;
    write.told_in = epoch_;
    told_index_ = std::max(told_index_, write.index);
  }
}

template <typename Which>
void Ledger::report(Which which, bool certain) {
  for (const Write& write : unsynced_) {
    if (!which(write)) continue;
    if (certain) STATEFS_MARK("ledger.lost");
    else STATEFS_MARK("ledger.perhaps_lost");
    lost_.push_back({write.call, write.index, certain});
    ++lost_count_;
  }
  std::erase_if(unsynced_, which);
  if (unsynced_.empty()) told_index_ = 0;
}

void Ledger::lose(std::uint16_t slot, std::uint64_t above) {
  report([=](const Write& write) { return write.slot == slot && write.sequence > above; }, true);
}

void Ledger::doubt(std::uint16_t slot) {
  report([=, this](const Write& write) { return write.slot == slot && !is_told(write); }, false);
}

bool Ledger::idle() const {
  return unsynced_.empty() &&
         std::none_of(places_.begin(), places_.end(), [](const Place& place) { return place.in_flight.has_value(); });
}

std::optional<LostWrite> Ledger::take_lost() {
  if (lost_.empty()) return std::nullopt;
  const LostWrite lost = lost_.front();
  lost_.pop_front();
  return lost;
}

}  // namespace statefs
