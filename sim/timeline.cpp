#include "sim/timeline.h"

#include <algorithm>

namespace statefs::sim {

Timeline::Timeline(const Case& of) {
  auto append = of.history().appends.begin();
  const auto take_until = [&](Place place) {
    for (; append != of.history().appends.end() && append->at < place; ++append) take(*append);
  };
  for (const SeenEvent& event : of.history().events) {
    if (event.node != of.server()) continue;
    if (event.kind != TraceKind::store_lost && event.kind != TraceKind::policy) continue;
    take_until(event.at);
    if (event.kind == TraceKind::store_lost) take_back(event);
    changes_.push_back(event.at);
  }
  take_until(of.history().end);
}

void Timeline::take(const SeenAppend& append) {
  if (append.effect == Effect::Kind::none) return;
  Versions& versions = keys_[append.key];
  kept_.push_back({append.index, append.key, versions.empty() ? Version{} : versions.back()});
  const bool is_put = append.effect == Effect::Kind::put;
  versions.push_back({append.at, is_put ? append.index : 0, is_put ? append.value : ByteView{}});
  changes_.push_back(append.at);
}

void Timeline::take_back(const SeenEvent& loss) {
  for (; !kept_.empty() && kept_.back().index > loss.argument; kept_.pop_back()) {
    Version version = kept_.back().before;
    version.from = loss.at;
    Versions& versions = keys_[kept_.back().key];
    if (versions.back().from == loss.at) versions.pop_back();
    versions.push_back(version);
  }
}

Version Timeline::at(const Versions& versions, Place place) {
  const auto after = std::upper_bound(versions.begin(), versions.end(), place, [](Place p, const Version& v) { return p < v.from; });
  return after == versions.begin() ? Version{} : *(after - 1);
}

Version Timeline::at(std::string_view key, Place place) const {
  const auto found = keys_.find(key);
  return found == keys_.end() ? Version{} : at(found->second, place);
}

std::vector<Place>::const_iterator Timeline::after(Place place) const {
  return std::upper_bound(changes_.begin(), changes_.end(), place);
}

}  // namespace statefs::sim
