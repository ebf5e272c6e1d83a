#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "core/crypto.h"
#include "sim/checks.h"
#include "sim/rate_model.h"
#include "sim/cover.h"
#include "sim/grounds.h"

namespace statefs::sim {
namespace {

const StageRequest* chunk_in(const SeenExchange& each) {
  return each.form == SeenExchange::Form::request ? std::get_if<StageRequest>(&each.request.body) : nullptr;
}
const PutRequest* commit_in(const SeenExchange& each) {
  const auto* const put = each.form == SeenExchange::Form::request ? std::get_if<PutRequest>(&each.request.body) : nullptr;
  return put != nullptr && put->stage ? put : nullptr;
}

// What one peer began in one life of the server, each stage at the largest size that was named for it.
struct Begun {
  std::map<std::uint64_t, std::uint64_t> sizes;
  std::uint64_t sum = 0;
};

// From the chunks that a server opened and the values that its store took, never from its stages.
class Staged {
 public:
  explicit Staged(const Case& of) : of_(of), grounds_(of) {}

  CheckResult judge() {
    if (of_.history().arrivals.empty()) return result_;
    for (const SeenExchange& each : of_.history().exchanges) {
      if (const StageRequest* const chunk = chunk_in(each)) chunks_[{each.peer, chunk->stage}].push_back(&each);
      if (each.form != SeenExchange::Form::request) continue;
      if (const auto* const put = std::get_if<PutRequest>(&each.request.body)) {
        puts_[{each.peer, put->at.session, put->at.slot, put->at.sequence}].push_back(&each);
        if (put->stage) commits_[{each.peer, put->stage->stage}].push_back(&each);
      }
    }
    for (auto& [stage, chunks] : chunks_) {
      std::stable_sort(chunks.begin(), chunks.end(), [](const SeenExchange* a, const SeenExchange* b) { return a->asked < b->asked; });
    }
    for (const SeenAppend& append : of_.history().appends) {
      if (append.is_mutation() && append.record.op == static_cast<std::uint8_t>(Op::put)) judge_append(append);
    }
    judge_answers();
    return result_;
  }

 private:
  using Stage = std::pair<NodeId, std::uint64_t>;
  using Slot = std::tuple<NodeId, std::uint64_t, std::uint16_t, std::uint64_t>;  // peer, session, slot, sequence
  struct Moment {
    Place at = 0;
    bool is_answer = false;
    const SeenExchange* each = nullptr;
  };
  // Of one stage, as far as the answers have been looked at.
  struct Spoken {
    const SeenExchange* last = nullptr;  // the chunk that was opened last
    Place answered = 0;                  // of all of them the last; no_place: one was not answered
  };
  struct Asked {
    Stage stage;
    std::string_view key;
    std::uint64_t total_size = 0;
  };

  [[nodiscard]] const std::vector<const SeenExchange*>& chunks_of(const Stage& stage) const {
    static const std::vector<const SeenExchange*> none;
    const auto found = chunks_.find(stage);
    return found == chunks_.end() ? none : found->second;
  }
  // Calls take(exchange, chunk) for those of the same value between the two places, in one life of the server.
  template <typename Take>
  void each_chunk(const Asked& of, Place since, Place until, Take take) const {
    const std::vector<const SeenExchange*>& chunks = chunks_of(of.stage);
    auto at = std::lower_bound(chunks.begin(), chunks.end(), since, [](const SeenExchange* each, Place place) { return each->asked < place; });
    for (; at != chunks.end() && (*at)->asked < until; ++at) {
      const SeenExchange* const each = *at;
      const StageRequest& chunk = *chunk_in(*each);
      const bool is_of = as_text(chunk.key) == of.key && chunk.total_size == of.total_size && chunk.chunk.size() == chunk.chunk_size;
      if (is_of && grounds_.up_since(each->asked) == grounds_.up_since(until)) take(*each, chunk);
    }
  }
  void judge_append(const SeenAppend& append);
  void judge_answers();
  void take_chunk(const SeenExchange& each, const StageRequest& chunk);
  [[nodiscard]] std::string value_objection(const SeenAppend& append, const SeenExchange& asked) const;
  [[nodiscard]] bool is_covered(const SeenAppend& append, const Asked& of) const;
  [[nodiscard]] std::string chunk_objection(const SeenExchange& each, const StageRequest& chunk);
  [[nodiscard]] bool has_room(const SeenExchange& each, const StageRequest& chunk) const;
  [[nodiscard]] std::string commit_objection(const SeenExchange& each, const PutRequest& put);
  [[nodiscard]] bool is_whole(const SeenExchange& each, const PutRequest& put) const;
  [[nodiscard]] Bytes assembled(const Asked& of, Place since, Place until) const;

  const Case& of_;
  Grounds grounds_;
  std::map<Stage, std::vector<const SeenExchange*>> chunks_;   // in the order in which they were opened
  std::map<Slot, std::vector<const SeenExchange*>> puts_;      // by where they stand, staged or not
  std::map<Stage, std::vector<const SeenExchange*>> commits_;
  std::map<Stage, Place> used_;                                // where a stage was used up last
  std::map<Stage, Spoken> spoken_;
  std::map<std::tuple<Stage, std::string_view, std::uint64_t, Place>, Cover> covers_;  // by key, size and life of the server
  std::map<std::pair<NodeId, Place>, Begun> begun_;                                    // by peer and life of the server
  CheckResult result_{"staged", 0, {}};
};

void Staged::judge_append(const SeenAppend& append) {
  const NodeId peer = of_.node_of(append.record.peer);
  const AuditRecord& record = append.record;
  const auto found = puts_.find({peer, record.at.session, record.at.slot, record.at.sequence});
  const bool is_large = append.effect == Effect::Kind::put && append.value.size() > limits::value_size_max;
  const bool is_of_stage = record.status == Status::digest_mismatch || is_large;
  const auto is_commit = [](const SeenExchange* each) { return commit_in(*each) != nullptr; };
  if (found == puts_.end() || std::none_of(found->second.begin(), found->second.end(), is_commit)) {
    if (is_of_stage) result_.fail(place_of(append) + ": of a stage that nobody committed");
    return;
  }
  ++result_.judged;
  // A sequence that a missing stage has not used is used for whatever is next.
  for (const SeenExchange* const each : found->second) {
    const PutRequest& put = std::get<PutRequest>(each->request.body);
    const bool is_plain = !put.stage && each->asked < append.at && record.status != Status::digest_mismatch;
    if (is_plain && (append.effect == Effect::Kind::none || equal(put.value, append.value))) return;
  }
  std::string what = "of a commit that came later";
  std::set<std::uint64_t> stages;  // of which it may be
  for (const SeenExchange* const each : found->second) {
    if (each->asked >= append.at || commit_in(*each) == nullptr) continue;
    if (each->is_answered() && each->is_readable && each->answer.status == Status::stage_missing) continue;
    std::string wrong = append.effect == Effect::Kind::put ? value_objection(append, *each) : "";
    const StageCommit& commit = *commit_in(*each)->stage;
    const bool mismatches = record.status == Status::digest_mismatch;
    if (mismatches && !is_covered(append, {{peer, commit.stage}, record.key, commit.total_size})) wrong = "of another digest, and not all staged";
    if (wrong.empty()) stages.insert(commit_in(*each)->stage->stage);
    what = stages.empty() ? wrong : "";
  }
  const bool is_used_up = append.effect == Effect::Kind::put || record.status == Status::digest_mismatch;
  if (is_used_up && stages.size() == 1) used_[{peer, *stages.begin()}] = append.at;
  if (!what.empty()) result_.fail(place_of(append) + ": " + what);
}

// The bytes that were staged are those that the PUT named, all of them, and of this stage, peer, key and time.
std::string Staged::value_objection(const SeenAppend& append, const SeenExchange& asked) const {
  const StageCommit& commit = *commit_in(asked)->stage;
  if (append.value.size() != commit.total_size) return "a value of another size than was committed";
  if (Sha256().of(append.value) != commit.digest) return "a value of another digest than was committed";
  return is_covered(append, {{asked.peer, commit.stage}, append.key, commit.total_size}) ? "" : "a value of which a part was never staged";
}

// Whether it was all staged before, with the bytes of the effect where there is one.
bool Staged::is_covered(const SeenAppend& append, const Asked& of) const {
  const auto used = used_.find(of.stage);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> parts;
  each_chunk(of, used == used_.end() ? 0 : used->second, append.at, [&](const SeenExchange&, const StageRequest& chunk) {
    const bool is_of = append.effect != Effect::Kind::put ||
                       equal(append.value.subspan(static_cast<std::size_t>(chunk.offset), chunk.chunk.size()), chunk.chunk);
    if (is_of) parts.emplace_back(chunk.offset, chunk.offset + chunk.chunk.size());
  });
  std::sort(parts.begin(), parts.end());
  std::uint64_t end = 0;
  for (const auto& [from, to] : parts) {
    if (from <= end) end = std::max(end, to);
  }
  return end >= of.total_size && !parts.empty();
}

// Along the trace, so that what went before an answer is known when it comes.
void Staged::judge_answers() {
  std::vector<Moment> moments;
  for (const SeenExchange& each : of_.history().exchanges) {
    const bool is_chunk = chunk_in(each) != nullptr;
    if (is_chunk) moments.push_back({each.asked, false, &each});
    if ((is_chunk || commit_in(each) != nullptr) && each.is_answered() && each.is_readable) moments.push_back({each.answered, true, &each});
  }
  std::stable_sort(moments.begin(), moments.end(),
                   [](const Moment& a, const Moment& b) { return std::pair(a.at, a.is_answer) < std::pair(b.at, b.is_answer); });
  for (const Moment& moment : moments) {
    const SeenExchange& each = *moment.each;
    const StageRequest* const chunk = chunk_in(each);
    if (!moment.is_answer) {
      take_chunk(each, *chunk);
      continue;
    }
    const std::string what = chunk != nullptr ? chunk_objection(each, *chunk) : commit_objection(each, *commit_in(each));
    if (what.empty()) continue;
    result_.fail("node " + std::to_string(each.peer) + " request " + std::to_string(each.id) + " behind entry " + std::to_string(each.asked) +
                 ": " + what);
  }
}

void Staged::take_chunk(const SeenExchange& each, const StageRequest& chunk) {
  const Stage stage{each.peer, chunk.stage};
  const Place life = grounds_.up_since(each.asked);
  Spoken& spoken = spoken_[stage];
  spoken.last = &each;
  spoken.answered = std::max(spoken.answered, each.answered);
  if (chunk.chunk.size() == chunk.chunk_size) {
    covers_[{stage, as_text(chunk.key), chunk.total_size, life}].add(chunk.offset, chunk.offset + chunk.chunk_size);
  }
  if (chunk.total_size > of_.store().staging.value_size_max) return;
  Begun& begun = begun_[{each.peer, life}];
  std::uint64_t& size = begun.sizes[chunk.stage];
  begun.sum += std::max(size, chunk.total_size) - size;
  size = std::max(size, chunk.total_size);
}

std::string Staged::chunk_objection(const SeenExchange& each, const StageRequest& chunk) {
  const auto* const answer = std::get_if<StageResponse>(&each.answer.body);
  const Status status = each.answer.status;
  if (answer == nullptr) return {};
  ++result_.judged;
  if (was_put_off(each, of_.store().rates)) return {};  // which of the two it was is not told
  if (status == Status::overloaded) return has_room(each, chunk) ? "no room, though the peer has some" : "";
  const bool is_short = answer->staged_size < std::max<std::uint64_t>(chunk.offset, 1);
  if (status == Status::stage_missing) return is_short ? "" : "missing, though it says that more is there";
  if (status != Status::ok) return {};
  if (answer->staged_size < chunk.offset + chunk.chunk_size || answer->staged_size > chunk.total_size) return "holds another size than was staged";
  const auto cover = covers_.find({{each.peer, chunk.stage}, as_text(chunk.key), chunk.total_size, grounds_.up_since(each.answered + 1)});
  const std::uint64_t end = cover == covers_.end() ? 0 : cover->second.end();
  return answer->staged_size <= end ? "" : "holds more than was staged";
}

// Whether the peer's own stages leave room, whatever others do: all that it ever began in this life are no more than it may have.
bool Staged::has_room(const SeenExchange& each, const StageRequest& chunk) const {
  const StagingLimits& limits = of_.store().staging;
  std::uint64_t count = 1, size = chunk.total_size;
  if (const auto begun = begun_.find({each.peer, grounds_.up_since(each.asked)}); begun != begun_.end()) {
    const auto own = begun->second.sizes.find(chunk.stage);
    const bool is_begun = own != begun->second.sizes.end();
    count += begun->second.sizes.size() - (is_begun ? 1 : 0);
    size += begun->second.sum - (is_begun ? own->second : 0);
  }
  return count <= limits.stages_per_peer_max && size <= limits.bytes_per_peer_max;
}

std::string Staged::commit_objection(const SeenExchange& each, const PutRequest& put) {
  const bool is_missing = each.answer.status == Status::stage_missing;
  const auto* const answer = std::get_if<MutationResponse>(&each.answer.body);
  const bool mismatches = each.answer.status == Status::digest_mismatch && answer != nullptr && !answer->replayed;
  if (!is_missing && !mismatches) return {};
  ++result_.judged;
  if (!is_whole(each, put)) return {};
  if (is_missing) return "missing, though it was whole just now";
  const Bytes value = assembled({{each.peer, put.stage->stage}, as_text(put.key), put.stage->total_size}, 0, each.asked + 1);
  return Sha256().of(value) == put.stage->digest ? "of another digest, though it is that" : "";
}

// Whether nothing could have taken it away: it was whole when it was spoken of last, not long ago, and by nobody since.
bool Staged::is_whole(const SeenExchange& each, const PutRequest& put) const {
  const auto spoken = spoken_.find({each.peer, put.stage->stage});
  if (spoken == spoken_.end() || spoken->second.answered >= each.asked) return false;
  const SeenExchange* const last = spoken->second.last;
  if (!last->is_readable || last->answer.status != Status::ok) return false;
  const StageRequest& chunk = *chunk_in(*last);
  const auto* const answer = std::get_if<StageResponse>(&last->answer.body);
  const bool is_it = answer != nullptr && answer->staged_size == put.stage->total_size && chunk.total_size == put.stage->total_size &&
                     as_text(chunk.key) == as_text(put.key);
  const StagingLimits& limits = of_.store().staging;
  const bool is_fresh = (each.answered_time - last->asked_time).ns < std::min(limits.yield_after.ns, limits.idle_max.ns) / 2;
  if (!is_it || !is_fresh || grounds_.up_since(last->asked) != grounds_.up_since(each.answered)) return false;
  for (const SeenExchange* const other : commits_.at({each.peer, put.stage->stage})) {
    if (other != &each && other->asked < each.answered && (!other->is_answered() || other->answered >= last->asked)) return false;
  }
  const auto is_strange = [&each](const PolicyPlan& policy) { return !is_enrolled(policy, each.peer); };
  return !of_.some_policy(last->asked, each.answered, is_strange);
}

Bytes Staged::assembled(const Asked& of, Place since, Place until) const {
  Bytes value(static_cast<std::size_t>(of.total_size));
  each_chunk(of, since, until, [&](const SeenExchange& each, const StageRequest& chunk) {
    if (!each.is_answered() || each.answer.status != Status::ok) return;
    std::copy(chunk.chunk.begin(), chunk.chunk.end(), value.begin() + static_cast<std::ptrdiff_t>(chunk.offset));
  });
  return value;
}

}  // namespace

CheckResult check_staged(const Case& of) { return Staged(of).judge(); }

}  // namespace statefs::sim
