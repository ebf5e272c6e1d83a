// The search held against the enumeration of all orders, over histories so small that there are few.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <utility>

#include "sim/random.h"
#include "sim/search.h"

namespace statefs::sim {
namespace {

using Kind = Operation::Kind;
using Result = Operation::Result;
using Loss = Operation::Loss;
using Verdict = KeySearch::Verdict;
using Operations = std::vector<Operation>;

// Every order of everything, one after the other: no memory, no rule that cuts, and written another way.
class Enumeration {
 public:
  explicit Enumeration(const Operations& history) : history_(history), used_(history.size()) {}
  [[nodiscard]] bool explains() {
    bool finished = true;
    for (std::size_t i = 0; i < history_.size(); ++i) finished = finished && (used_[i] || history_[i].result == Result::open);
    if (finished) return true;
    for (std::size_t i = 0; i < history_.size(); ++i) {
      if (used_[i] || !may_be_next(i)) continue;
      used_[i] = true;
      const bool found = goes_on_with(i);
      used_[i] = false;
      if (found) return true;
    }
    return false;
  }

 private:
  struct Store {
    std::uint64_t revision = 0;  // 0: absent
    std::uint64_t value = 0;
  };
  struct Situation {
    Store store;
    Store kept;
    std::uint64_t highest = 0;
    bool losing = false;
  };
  static constexpr std::uint64_t revision_max = 9, nobody_knows = 1'000;

  [[nodiscard]] bool may_be_next(std::size_t i) const {
    for (std::size_t j = 0; j < history_.size(); ++j) {
      if (!used_[j] && history_[j].result != Result::open && history_[j].answered <= history_[i].called) return false;
    }
    return true;
  }
  [[nodiscard]] bool goes_on_with(std::size_t i) {
    const Operation& each = history_[i];
    const bool holds = !each.expected || *each.expected == now_.store.revision;
    const bool told = !each.revision || *each.revision == now_.store.revision;
    if (each.kind == Kind::restart) return goes_on_from({now_.kept, now_.kept, now_.highest, false});
    if (each.result == Result::not_found) return each.kind != Kind::put && now_.store.revision == 0 && explains();
    if (each.result == Result::revision_conflict) return !holds && told && (each.kind == Kind::put || now_.store.revision != 0) && explains();
    if (each.kind == Kind::get) return now_.store.revision != 0 && holds && told && now_.store.value == each.value && explains();
    if (!holds || (each.kind == Kind::del && now_.store.revision == 0)) return false;
    if (each.kind == Kind::del) return changes(each, {}, now_.highest);
    if (each.result == Result::ok && each.revision) {
      return *each.revision > now_.highest && changes(each, {*each.revision, each.value}, *each.revision);
    }
    for (std::uint64_t revision = now_.highest + 1; revision <= revision_max; ++revision) {
      if (changes(each, {revision, each.value}, revision)) return true;
    }
    return changes(each, {nobody_knows + i, each.value}, now_.highest);
  }
  [[nodiscard]] bool changes(const Operation& each, const Store& store, std::uint64_t highest) {
    const bool open = each.result == Result::open;
    bool restart_ahead = false;
    for (std::size_t i = 0; i < history_.size(); ++i) restart_ahead = restart_ahead || (history_[i].kind == Kind::restart && !used_[i]);
    if (restart_ahead && (open || each.loss != Loss::no) && goes_on_from({store, now_.kept, highest, true})) return true;
    return each.loss != Loss::yes && !now_.losing && goes_on_from({store, store, highest, false});
  }
  [[nodiscard]] bool goes_on_from(const Situation& next) {
    const Situation before = std::exchange(now_, next);
    const bool found = explains();
    now_ = before;
    return found;
  }

  const Operations& history_;
  std::vector<bool> used_;
  Situation now_;
};

// A history that is true or nearly so: carried out one after the other, seen through intervals around, then bent a little.
class SmallUniverse {
 public:
  explicit SmallUniverse(std::uint64_t seed) : random_(seed, "history") {}

  Operations draw() {
    const std::uint64_t count = random_.between(3, 7);
    restart_at_ = random_.chance({1, 4}) ? random_.below(count) : count;
    losing_ = restart_at_ < count && random_.chance({2, 3});
    for (std::uint64_t i = 0; i < count; ++i) carry_out(i);
    for (std::uint64_t bends = random_.below(4); bends > 0; --bends) bend(history_[random_.below(history_.size())]);
    return history_;
  }

 private:
  void carry_out(std::uint64_t i) {
    const Moment point = 100 + i * 10;
    Operation each;
    each.key = "/k";
    each.called = point - random_.below(20);
    each.answered = point + 1 + random_.below(20);
    each.value = random_.between(1, 3);
    each.result = Result::ok;
    if (i == restart_at_) {
      each.kind = Kind::restart;
      if (losing_) revision_ = kept_revision_, value_ = kept_value_;
      history_.push_back(each);
      return;
    }
    each.kind = std::array{Kind::put, Kind::get, Kind::del, Kind::put, Kind::get}[random_.below(5)];
    if (random_.chance({1, 3})) each.expected = random_.chance({1, 2}) ? revision_ : random_.below(6);
    const bool opens = each.kind != Kind::get && random_.chance({1, 3});
    if (!opens || random_.chance({1, 2})) run(each, i);
    if (opens) {
      each.result = Result::open;
      each.revision.reset();
      each.loss = Loss::no;
    } else if (random_.chance({1, 8})) {
      each.revision.reset();
    }
    history_.push_back(each);
  }
  void run(Operation& each, std::uint64_t i) {
    if (each.kind != Kind::put && revision_ == 0) {
      each.result = Result::not_found;
      return;
    }
    if (each.expected && *each.expected != revision_) {
      each.result = Result::revision_conflict;
      each.revision = revision_;
      return;
    }
    if (each.kind == Kind::get) {
      each.revision = revision_, each.value = value_;
      return;
    }
    if (each.kind == Kind::put) each.revision = ++last_revision_;
    revision_ = each.kind == Kind::put ? last_revision_ : 0;
    value_ = each.value;
    if (i < restart_at_ && losing_) each.loss = random_.chance({1, 3}) ? Loss::maybe : Loss::yes;
    if (!losing_) kept_revision_ = revision_, kept_value_ = value_;
  }
  void bend(Operation& each) {
    switch (random_.below(6)) {
      case 0: each.value = random_.between(1, 3); break;
      case 1: each.called = each.called + random_.below(each.answered - each.called); break;
      case 2: each.answered = each.answered - random_.below(each.answered - each.called); break;
      case 3:
        if (each.result == Result::ok && each.kind == Kind::get) each.revision = random_.between(1, 6);
        break;
      case 4:
        if (each.kind != Kind::restart) each.result = std::array{Result::ok, Result::not_found, Result::revision_conflict}[random_.below(3)];
        break;
      default: each.loss = std::array{Loss::no, Loss::maybe, Loss::yes}[random_.below(3)]; break;
    }
  }

  RandomStream random_;
  Operations history_;
  std::uint64_t restart_at_ = 0;
  bool losing_ = false;
  std::uint64_t revision_ = 0, value_ = 0, last_revision_ = 0;
  std::uint64_t kept_revision_ = 0, kept_value_ = 0;
};

std::string told(const Operations& history) {
  std::string text;
  for (const Operation& each : history) text += "\n  " + describe(each);
  return text;
}

TEST(Search, AgreesWithTheEnumerationOfAllOrders) {
  int accepted = 0, refused = 0, with_open = 0, with_restart = 0;
  for (std::uint64_t seed = 0; seed < 12'000; ++seed) {
    const Operations history = SmallUniverse(seed).draw();
    const bool explained = Enumeration(history).explains();
    const SearchResult result = search_order(history);
    ASSERT_EQ(result.verdict, explained ? Verdict::ok : Verdict::violation) << "seed " << seed << told(history);
    (explained ? accepted : refused) += 1;
    with_open += std::any_of(history.begin(), history.end(), [](const Operation& each) { return each.result == Result::open; }) ? 1 : 0;
    with_restart += std::any_of(history.begin(), history.end(), [](const Operation& each) { return each.loss == Loss::yes; }) ? 1 : 0;
  }
  EXPECT_GT(accepted, 3'000);
  EXPECT_GT(refused, 1'500);
  EXPECT_GT(with_open, 3'000);
  EXPECT_GT(with_restart, 1'000);
}

}  // namespace
}  // namespace statefs::sim
