#include "core/epochs.h"

#include <algorithm>
#include <utility>

#include "core/check.h"

namespace statefs {

namespace {

HeadComparison verdict(bool same) { return same ? HeadComparison::same : HeadComparison::differs; }

}  // namespace

void Epochs::begin(std::uint64_t number, std::uint64_t random, const AuditHead& before) {
  STATEFS_CHECK(epochs_.empty() || number > epochs_.back().number);
  if (!epochs_.empty()) epochs_.back().last = before;
  if (epochs_.size() == limits::epochs_kept) epochs_.erase(epochs_.begin());
  epochs_.push_back({number, random, {}});
}

bool Epochs::restore(std::vector<Epoch> epochs) {
  const auto not_ascending = [](const Epoch& a, const Epoch& b) { return a.number >= b.number; };
  if (epochs.size() > limits::epochs_kept) return false;
  if (std::adjacent_find(epochs.begin(), epochs.end(), not_ascending) != epochs.end()) return false;
  epochs_ = std::move(epochs);
  return true;
}

const Epoch* Epochs::find(std::uint64_t number) const {
  const auto at = std::find_if(epochs_.begin(), epochs_.end(), [number](const Epoch& epoch) { return epoch.number == number; });
  return at == epochs_.end() ? nullptr : &*at;
}

void Heads::add(const AuditHead& head) {
  if (head.index == 0 || (!heads_.empty() && head.index <= heads_.back().index)) return;
  if (heads_.size() == limits::heads_kept) heads_.pop_front();
  heads_.push_back(head);
}

HeadComparison Heads::compare(const Epochs& epochs, std::uint64_t epoch, const AuditHead& head) const {
  if (head.index == 0 || heads_.empty()) return HeadComparison::none;
  const AuditHead& now = heads_.back();
  // What is not there yet, or what was durable and is not.
  if (head.index > now.index || epoch > epoch_of(now.index)) return HeadComparison::differs;
  const auto before = [](const AuditHead& each, std::uint64_t index) { return each.index < index; };
  const auto at = std::lower_bound(heads_.begin(), heads_.end(), head.index, before);
  if (at != heads_.end() && at->index == head.index) return verdict(at->hash == head.hash);
  const Epoch* const own = epochs.find(epoch_of(head.index));
  if (own == nullptr) {
    // A number between those that are kept was never an epoch here.
    const bool older = epochs.all().empty() || epoch_of(head.index) < epochs.all().front().number;
    return older ? HeadComparison::trimmed : HeadComparison::differs;
  }
  if (own->last.index == 0 || head.index < own->last.index) return HeadComparison::trimmed;
  return verdict(own->last == head);
}

}  // namespace statefs
