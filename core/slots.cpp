#include "core/slots.h"

#include <algorithm>
#include <utility>

#include "core/check.h"

namespace statefs {

namespace {

template <typename Sessions, typename Match>
const SlotSession* find_in(const Sessions& sessions, Match match) {
  const auto at = std::find_if(sessions.rbegin(), sessions.rend(), match);
  return at == sessions.rend() ? nullptr : &*at;
}

auto numbered(std::uint64_t number) {
  return [number](const SlotSession& session) { return session.number == number; };
}
auto named(const SessionInstance& instance) {
  return [&instance](const SlotSession& session) { return session.instance == instance; };
}

}  // namespace

// Sessions are opened with ascending numbers and stay in that order.
const SlotSession* SlotTable::find(const Owner& owner, std::uint64_t number) const {
  const auto sessions = live(owner);
  const auto at = std::lower_bound(sessions.begin(), sessions.end(), number,
                                   [](const SlotSession& session, std::uint64_t wanted) { return session.number < wanted; });
  return at != sessions.end() && at->number == number ? &*at : nullptr;
}

const SlotSession* SlotTable::find(const Owner& owner, const SessionInstance& instance) const {
  return find_in(live(owner), named(instance));
}

std::span<const SlotSession> SlotTable::live(const Owner& owner) const {
  const auto shelf = shelves_.find(owner);
  return shelf == shelves_.end() ? std::span<const SlotSession>{} : shelf->second.live;
}

const SlotSession* SlotTable::find_ended(const Owner& owner, std::uint64_t number) const {
  const auto shelf = shelves_.find(owner);
  return shelf == shelves_.end() ? nullptr : find_in(shelf->second.ended, numbered(number));
}

const SlotSession* SlotTable::find_ended(const Owner& owner, const SessionInstance& instance) const {
  const auto shelf = shelves_.find(owner);
  return shelf == shelves_.end() ? nullptr : find_in(shelf->second.ended, named(instance));
}

SlotSession& SlotTable::at(Shelf& shelf, std::uint64_t number) {
  const auto found = std::lower_bound(shelf.live.begin(), shelf.live.end(), number,
                                      [](const SlotSession& session, std::uint64_t wanted) { return session.number < wanted; });
  STATEFS_CHECK(found != shelf.live.end() && found->number == number);
  return *found;
}

void SlotTable::end(Shelf& shelf, std::uint64_t number) {
  if (shelf.ended.size() == limits::ended_sessions_per_key) {
    shelf.ended.erase(shelf.ended.begin());
    --session_count_;
  }
  shelf.ended.push_back(at(shelf, number));
  std::erase_if(shelf.live, numbered(number));
}

void SlotTable::apply(const Owner& owner, const SlotChange& change, std::uint64_t index) {
  if (change.kind == SlotChange::Kind::none) return;
  Shelf& shelf = shelves_[owner];
  switch (change.kind) {
    case SlotChange::Kind::none: return;
    case SlotChange::Kind::use: {
      SlotSession& session = at(shelf, change.at.session);
      STATEFS_CHECK(change.at.slot < session.slots.size());
      Slot& slot = session.slots[change.at.slot];
      STATEFS_CHECK(change.result.sequence == slot.sequence + 1);
      slot = change.result;
      slot.index = index;
      session.used_index = index;
      return;
    }
    case SlotChange::Kind::open: {
      STATEFS_CHECK(shelf.live.size() < limits::sessions_per_key);
      SlotSession session;
      session.number = index;
      session.instance = change.instance;
      session.generation = change.generation;
      session.used_index = index;
      shelf.live.push_back(session);
      ++session_count_;
      return;
    }
    case SlotChange::Kind::resume: {
      SlotSession& session = at(shelf, change.at.session);
      STATEFS_CHECK(change.generation > session.generation);
      session.generation = change.generation;
      session.used_index = index;
      return;
    }
    case SlotChange::Kind::close:
    case SlotChange::Kind::evict: end(shelf, change.at.session); return;
  }
  STATEFS_CHECK(false);
}

bool SlotTable::fits(const Owner& owner, const SlotChange& change) const {
  if (change.kind == SlotChange::Kind::none) return true;
  if (change.kind == SlotChange::Kind::open) return live(owner).size() < limits::sessions_per_key;
  const SlotSession* const session = find(owner, change.at.session);
  if (session == nullptr) return false;
  if (change.kind == SlotChange::Kind::resume) return change.generation > session->generation;
  if (change.kind != SlotChange::Kind::use) return true;
  return change.at.slot < session->slots.size() && change.result.sequence == session->slots[change.at.slot].sequence + 1;
}

bool SlotTable::restore(const Owner& owner, Shelf shelf) {
  const auto before = [](const SlotSession& a, const SlotSession& b) { return a.number >= b.number; };
  const bool ordered = std::adjacent_find(shelf.live.begin(), shelf.live.end(), before) == shelf.live.end();
  if (!ordered || shelf.live.size() > limits::sessions_per_key || shelf.ended.size() > limits::ended_sessions_per_key) return false;
  const std::uint64_t count = shelf.live.size() + shelf.ended.size();
  if (!shelves_.try_emplace(owner, std::move(shelf)).second) return false;
  session_count_ += count;
  return true;
}

SlotVerdict judge(const SlotSession* session, const SlotRef& at, const Digest& request, std::uint64_t completed_index) {
  if (session == nullptr) return SlotVerdict::unknown;
  if (at.generation != session->generation) return SlotVerdict::fenced;
  if (at.slot >= session->slots.size()) return SlotVerdict::gap;
  const Slot& slot = session->slots[at.slot];
  if (at.sequence == slot.sequence + 1) return SlotVerdict::execute;
  if (at.sequence > slot.sequence) return SlotVerdict::gap;
  if (at.sequence < slot.sequence || at.sequence == 0) return SlotVerdict::too_old;
  if (request != slot.request) return SlotVerdict::false_retry;
  return slot.index > completed_index ? SlotVerdict::in_progress : SlotVerdict::replay;
}

}  // namespace statefs
