#include "sim/key_search.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "sim/random.h"

namespace statefs::sim {

using Kind = Operation::Kind;
using Result = Operation::Result;
using Loss = Operation::Loss;

KeySearch::KeySearch(std::span<const Operation> history, std::vector<std::size_t> members, Aim aim)
    : history_(history), members_(std::move(members)), aim_(aim), placed_(members_.size() / 64 + 1) {
  for (std::size_t op = 0; op < members_.size(); ++op) {
    answered_left_ += operation(op).result != Result::open ? 1 : 0;
    restart_count_ += operation(op).kind == Kind::restart ? 1 : 0;
  }
  least_left_ = answered_left_ + 1;
  link_events();
  find_makers(find_named());
  find_twins();
}

// An open operation has no return: whatever comes after its call may come before it.
void KeySearch::link_events() {
  std::vector<std::tuple<Moment, bool, std::size_t>> order;  // of one moment, returns are first
  for (std::size_t op = 0; op < members_.size(); ++op) {
    const Operation& each = operation(op);
    order.emplace_back(each.called, true, op);
    if (each.result == Result::open) continue;
    STATEFS_CHECK(each.called < each.answered);
    order.emplace_back(each.answered, false, op);
  }
  std::sort(order.begin(), order.end());
  call_.assign(members_.size(), 0);
  return_.assign(members_.size(), 0);
  events_.emplace_back();
  for (const auto& [moment, is_call, op] : order) {
    const std::size_t event = events_.size();
    (is_call ? call_ : return_)[op] = event;
    events_.push_back({op, !is_call, 0, event - 1});
    events_[event - 1].next = event;
  }
  events_[0].before = events_.size() - 1;
}

KeySearch::Named KeySearch::find_named() {
  Named named;
  std::set<std::uint64_t> told;
  for (std::size_t op = 0; op < members_.size(); ++op) {
    const Operation& each = operation(op);
    const bool is_made = each.kind == Kind::put && each.result == Result::ok;
    const bool is_read = each.kind == Kind::get && each.result == Result::ok;
    if (each.expected) named.values[*each.expected];
    if (each.expected && each.result == Result::ok) named.seen.insert(*each.expected);
    if (is_read && !each.revision) named.reads_tell_revisions = false;
    if (!each.revision || (!is_made && !is_read && each.result != Result::revision_conflict)) continue;
    (is_made ? told : named.seen).insert(*each.revision);
    std::set<std::uint64_t>& values = named.values[*each.revision];
    if (is_read) values.insert(each.value);
    // Only a restart brings back what was there before.
    const bool is_last_chance = is_made || (restart_count_ == 0 && aim_ == Aim::verdict);
    if (*each.revision != 0 && is_last_chance) due_.emplace(*each.revision, op);
  }
  named.values.erase(0);
  for (const std::uint64_t revision : told) named.values.erase(revision);
  return named;
}

void KeySearch::find_makers(const Named& named) {
  revisions_.resize(members_.size());
  values_.resize(members_.size());
  is_maker_.resize(members_.size());
  std::map<std::uint64_t, std::vector<std::size_t>> makers;
  for (std::size_t op = 0; op < members_.size(); ++op) {
    const Operation& each = operation(op);
    const bool is_told = each.result == Result::ok && each.revision;
    if (each.kind != Kind::put) continue;
    for (const auto& [revision, values] : named.values) {
      const bool fits = values.empty() || (values.size() == 1 && values.contains(each.value));
      if (!fits || is_told) continue;
      revisions_[op].push_back(revision);
      makers[revision].push_back(op);
    }
    values_[op] = is_told || !revisions_[op].empty() || !named.reads_tell_revisions ? each.value : 0;
  }
  for (const auto& [revision, ops] : makers) {
    if (ops.size() != 1 || !named.seen.contains(revision) || is_maker_[ops[0]]) continue;
    is_maker_[ops[0]] = true;
    revisions_[ops[0]] = {revision};
  }
}

void KeySearch::find_twins() {
  std::map<std::tuple<Kind, Loss, std::optional<std::uint64_t>, std::uint64_t>, std::size_t> last;
  twin_.resize(members_.size());
  for (std::size_t at = events_[0].next; at != 0; at = events_[at].next) {
    const std::size_t op = events_[at].op;
    const Operation& each = operation(op);
    if (events_[at].is_return) continue;
    twin_[op] = op;
    if (each.result != Result::open) continue;
    const auto [found, is_first] = last.try_emplace({each.kind, each.loss, each.expected, values_[op]}, op);
    if (!is_first) twin_[op] = std::exchange(found->second, op);
  }
}

// Whether what is there now explains it, and stays.
bool KeySearch::changes_nothing(const Operation& each) const {
  const KeyVersion& now = state_.now;
  const bool as_told = !each.revision || now.shows(*each.revision);
  switch (each.result) {
    case Result::open: return false;
    case Result::ok: return each.kind == Kind::get && now.present && now.value == each.value && as_told && now.meets(each.expected);
    case Result::not_found: return !now.present && each.kind != Kind::put;
    case Result::revision_conflict: return !now.meets(each.expected) && as_told && (now.present || each.kind == Kind::put);
  }
  STATEFS_CHECK(false);
}

// Fills choices_ with the states that the operation may lead to.
void KeySearch::follow(std::size_t op) {
  choices_.clear();
  const Operation& each = operation(op);
  if (each.result != Result::ok && each.result != Result::open) return;
  if (twin_[op] != op && !is_placed(twin_[op])) return;
  if (state_.unobserved && !needs_what_it_sees(each)) return;
  switch (each.kind) {
    case Kind::get: return;
    case Kind::put: return follow_put(op);
    case Kind::del:
      if (state_.now.present && state_.now.meets(each.expected)) follow_effect(each, {}, state_.highest);
      return;
    case Kind::restart:
      KeyState after = state_;
      after.now = after.kept;
      after.losing = false;
      after.unobserved = false;
      ++after.restarts;
      choices_.push_back(after);
      return;
  }
}

// Whether the open effect that was placed last is of use to it.
bool KeySearch::needs_what_it_sees(const Operation& each) const {
  const KeyVersion& before = state_.before;
  const bool undoes = each.kind == Kind::del && each.result == Result::open && !before.present;
  const bool works_without = before.meets(each.expected) && (each.kind == Kind::put || before.present);
  return !undoes && !works_without;
}

// Revisions rise; whatever is below the highest that was made was placed when it was.
bool KeySearch::may_make(std::uint64_t revision) const {
  if (revision <= state_.highest) return false;
  for (auto due = due_.lower_bound(state_.highest); due != due_.end() && due->first < revision; ++due) {
    if (!is_placed(due->second)) return false;
  }
  return true;
}

void KeySearch::follow_put(std::size_t op) {
  const Operation& each = operation(op);
  if (!state_.now.meets(each.expected)) return;
  if (each.result == Result::ok && each.revision) {
    if (may_make(*each.revision)) follow_effect(each, {true, values_[op], each.revision}, *each.revision);
    return;
  }
  for (const std::uint64_t revision : revisions_[op]) {
    if (may_make(revision)) follow_effect(each, {true, values_[op], revision}, revision);
  }
  if (!is_maker_[op]) follow_effect(each, {true, values_[op], std::nullopt}, state_.highest);
}

void KeySearch::follow_effect(const Operation& each, const KeyVersion& version, std::uint64_t highest) {
  const bool is_open = each.result == Result::open;
  const bool restart_ahead = state_.restarts < restart_count_;
  KeyState after = state_;
  after.now = version;
  after.highest = highest;
  after.unobserved = is_open && !restart_ahead;  // a restart may bring it back into sight
  after.before = after.unobserved ? state_.now : KeyVersion{};
  after.losing = true;
  if (restart_ahead && (is_open || each.loss != Loss::no)) choices_.push_back(after);
  // What a restart leaves is a prefix: nothing behind a lost one is kept.
  if (each.loss == Loss::yes || state_.losing) return;
  after.losing = false;
  after.kept = version;
  choices_.push_back(after);
}

void KeySearch::unlink(std::size_t event) {
  events_[events_[event].before].next = events_[event].next;
  events_[events_[event].next].before = events_[event].before;
}

void KeySearch::relink(std::size_t event) {
  events_[events_[event].before].next = event;
  events_[events_[event].next].before = event;
}

void KeySearch::place(std::size_t op) {
  placed_[op / 64] |= std::uint64_t{1} << (op % 64);
  order_.push_back(op);
  unlink(call_[op]);
  if (return_[op] == 0) return;
  unlink(return_[op]);
  --answered_left_;
}

void KeySearch::take_back(const Frame& frame) {
  while (order_.size() > frame.placed_before) {
    const std::size_t op = order_.back();
    order_.pop_back();
    placed_[op / 64] &= ~(std::uint64_t{1} << (op % 64));
    if (return_[op] != 0) {
      relink(return_[op]);
      ++answered_left_;
    }
    relink(call_[op]);
  }
  state_ = frame.before;
}

void KeySearch::absorb() {
  for (std::size_t at = events_[0].next; at != 0 && !events_[at].is_return;) {
    const std::size_t before = events_[at].before;
    if (changes_nothing(operation(events_[at].op))) {
      place(events_[at].op);
      state_.unobserved = false;
      state_.before = {};
      at = events_[before].next;
    } else {
      at = events_[at].next;
    }
  }
}

bool KeySearch::Configuration::operator<(const Configuration& other) const {
  if (hash != other.hash) return hash < other.hash;
  return placed != other.placed ? placed < other.placed : state.tied() < other.state.tied();
}

KeySearch::Configuration KeySearch::configuration() const {
  std::uint64_t hash = state_.highest;
  for (const std::uint64_t word : placed_) hash = mix(hash + 0x9e3779b97f4a7c15) ^ word;
  return {mix(hash), placed_, state_};
}

// Places the operation in the first of its ways, from `choice` on, that leads where the search has not been.
bool KeySearch::try_from(std::size_t op, std::size_t choice) {
  ++steps_;
  follow(op);
  for (; choice < choices_.size(); ++choice) {
    ++steps_;
    const Frame frame{op, choice, state_, order_.size()};
    state_ = choices_[choice];
    place(op);
    absorb();
    if (visited_.insert(configuration()).second) {
      frames_.push_back(frame);
      return true;
    }
    take_back(frame);
  }
  return false;
}

KeySearch::Verdict KeySearch::run(std::uint64_t steps_max) {
  absorb();
  std::size_t at = events_[0].next;
  while (answered_left_ > 0) {
    if (steps_ >= steps_max) return note_blocked(), Verdict::undecided;
    if (!events_[at].is_return) {
      at = try_from(events_[at].op, 0) ? events_[0].next : events_[at].next;
      continue;
    }
    // Nothing more can come before this return, so what was placed last was placed wrongly.
    note_blocked();
    if (frames_.empty()) return Verdict::violation;
    const Frame frame = frames_.back();
    frames_.pop_back();
    take_back(frame);
    at = try_from(frame.op, frame.choice + 1) ? events_[0].next : events_[call_[frame.op]].next;
  }
  return Verdict::ok;
}

void KeySearch::note_blocked() {
  if (answered_left_ >= least_left_) return;
  least_left_ = answered_left_;
  best_order_ = order_;
  blocked_.clear();
  for (std::size_t at = events_[0].next; at != 0 && !events_[at].is_return; at = events_[at].next) blocked_.push_back(events_[at].op);
}

std::vector<std::size_t> KeySearch::in_history(const std::vector<std::size_t>& ops) const {
  std::vector<std::size_t> places;
  for (const std::size_t op : ops) places.push_back(members_[op]);
  return places;
}

}  // namespace statefs::sim
