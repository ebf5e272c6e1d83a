#include <algorithm>
#include <map>
#include <tuple>

#include "core/crypto.h"
#include "sim/checks.h"
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
    for (const SeenExchange& each : of_.history().exchanges) {
      if (!each.is_answered() || !each.is_readable) continue;
      std::string what;
      if (const StageRequest* const chunk = chunk_in(each); chunk != nullptr && is_looked_at(each, *chunk)) what = chunk_objection(each, *chunk);
      if (const PutRequest* const put = commit_in(each)) what = commit_objection(each, *put);
      if (what.empty()) continue;
      result_.fail("node " + std::to_string(each.peer) + " request " + std::to_string(each.id) + " behind entry " + std::to_string(each.asked) +
                   ": " + what);
    }
    return result_;
  }

 private:
  using Stage = std::pair<NodeId, std::uint64_t>;
  using Slot = std::tuple<NodeId, std::uint64_t, std::uint16_t, std::uint64_t>;  // peer, session, slot, sequence
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
  // Each answer to a chunk needs those before it: of a stage that is begun again and again, one in so many is looked at.
  [[nodiscard]] bool is_looked_at(const SeenExchange& each, const StageRequest& chunk) const {
    return chunks_of({each.peer, chunk.stage}).size() < 500 || each.id % 64 == 0;
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
  [[nodiscard]] std::string value_objection(const SeenAppend& append, const SeenExchange& asked) const;
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
  for (const SeenExchange* const each : found->second) {
    if (each->asked >= append.at || commit_in(*each) == nullptr) continue;
    what = append.effect == Effect::Kind::put ? value_objection(append, *each) : "";
    if (!what.empty()) continue;
    const bool is_used_up = append.effect == Effect::Kind::put || record.status == Status::digest_mismatch;
    if (is_used_up) used_[{peer, commit_in(*each)->stage->stage}] = append.at;
    break;
  }
  if (!what.empty()) result_.fail(place_of(append) + ": " + what);
}

// The bytes that were staged are those that the PUT named, all of them, and of this stage, peer, key and time.
std::string Staged::value_objection(const SeenAppend& append, const SeenExchange& asked) const {
  const StageCommit& commit = *commit_in(asked)->stage;
  if (append.value.size() != commit.total_size) return "a value of another size than was committed";
  if (Sha256().of(append.value) != commit.digest) return "a value of another digest than was committed";
  const Asked of{{asked.peer, commit.stage}, append.key, commit.total_size};
  const auto used = used_.find(of.stage);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> parts;
  each_chunk(of, used == used_.end() ? 0 : used->second, append.at, [&](const SeenExchange&, const StageRequest& chunk) {
    const auto part = append.value.subspan(static_cast<std::size_t>(chunk.offset), chunk.chunk.size());
    if (equal(part, chunk.chunk)) parts.emplace_back(chunk.offset, chunk.offset + chunk.chunk.size());
  });
  std::sort(parts.begin(), parts.end());
  std::uint64_t end = 0;
  for (const auto& [from, to] : parts) {
    if (from <= end) end = std::max(end, to);
  }
  return end == commit.total_size && !(parts.empty()) ? "" : "a value of which a part was never staged";
}

std::string Staged::chunk_objection(const SeenExchange& each, const StageRequest& chunk) {
  const auto* const answer = std::get_if<StageResponse>(&each.answer.body);
  const Status status = each.answer.status;
  if (answer == nullptr) return {};
  ++result_.judged;
  if (status == Status::overloaded) return has_room(each, chunk) ? "no room, though the peer has some" : "";
  const bool is_short = answer->staged_size < std::max<std::uint64_t>(chunk.offset, 1);
  if (status == Status::stage_missing) return is_short ? "" : "missing, though it says that more is there";
  if (status != Status::ok) return {};
  if (answer->staged_size < chunk.offset + chunk.chunk_size || answer->staged_size > chunk.total_size) return "holds another size than was staged";
  std::vector<std::pair<std::uint64_t, std::uint64_t>> parts;
  each_chunk({{each.peer, chunk.stage}, as_text(chunk.key), chunk.total_size}, 0, each.answered + 1,
             [&](const SeenExchange&, const StageRequest& other) { parts.emplace_back(other.offset, other.offset + other.chunk.size()); });
  std::sort(parts.begin(), parts.end());
  std::uint64_t end = 0;
  for (const auto& [from, to] : parts) {
    if (from <= end) end = std::max(end, to);
  }
  return answer->staged_size <= end ? "" : "holds more than was staged";
}

// Whether the peer's own stages leave room, whatever others do: all that it ever began in this life are no more than it may have.
bool Staged::has_room(const SeenExchange& each, const StageRequest& chunk) const {
  const StagingLimits& limits = of_.store().staging;
  std::uint64_t count = 1, size = chunk.total_size;
  for (const auto& [stage, chunks] : chunks_) {
    if (stage.first != each.peer || stage.second == chunk.stage) continue;
    std::uint64_t most = 0;
    bool is_begun = false;
    for (const SeenExchange* const other : chunks) {
      if (other->asked > each.answered || grounds_.up_since(other->asked) != grounds_.up_since(each.asked)) continue;
      const StageRequest& begun = *chunk_in(*other);
      if (begun.total_size > limits.value_size_max) continue;
      is_begun = true;
      most = std::max(most, begun.total_size);
    }
    count += is_begun ? 1 : 0;
    size += most;
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
  const auto& chunks = chunks_of({each.peer, put.stage->stage});
  const SeenExchange* last = nullptr;
  for (const SeenExchange* const chunk : chunks) {
    if (chunk->asked > each.answered) continue;
    if (!chunk->is_answered() || chunk->answered > each.asked) return false;
    last = chunk;
  }
  if (last == nullptr || !last->is_readable || last->answer.status != Status::ok) return false;
  const StageRequest& chunk = *chunk_in(*last);
  const auto* const answer = std::get_if<StageResponse>(&last->answer.body);
  const bool is_it = answer != nullptr && answer->staged_size == put.stage->total_size && chunk.total_size == put.stage->total_size &&
                     as_text(chunk.key) == as_text(put.key);
  const StagingLimits& limits = of_.store().staging;
  const bool is_fresh = (each.answered_time - last->asked_time).ns < std::min(limits.yield_after.ns, limits.idle_max.ns) / 2;
  if (!is_it || !is_fresh || grounds_.up_since(last->asked) != grounds_.up_since(each.answered)) return false;
  for (const SeenExchange* const other : commits_.at({each.peer, put.stage->stage})) {
    if (other != &each && other->asked < each.answered && (!other->is_answered() || other->answered > last->asked)) return false;
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
