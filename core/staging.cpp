#include "core/staging.h"

#include <algorithm>
#include <utility>

#include "core/check.h"

namespace statefs {

StagingLimits StagingLimits::for_values_up_to(std::size_t size) {
  StagingLimits out;
  out.value_size_max = size;
  out.bytes_per_peer_max = limits::staged_values_per_peer * size;
  out.bytes_max = limits::staging_owners_max * out.bytes_per_peer_max;
  return out;
}

Staging::Staging(const StagingLimits& limits, Marks& marks) : limits_(limits), marks_(marks) {
  STATEFS_CHECK(limits.value_size_max >= 1 && limits.value_size_max <= limits::total_value_size_ceiling);
  STATEFS_CHECK(limits.bytes_per_peer_max >= limits.value_size_max && limits.bytes_max >= limits.bytes_per_peer_max);
  STATEFS_CHECK(limits.stages_per_peer_max >= 1);
}

Staging::Stage* Staging::find(const Owner& owner, std::uint64_t stage) {
  const auto shelf = shelves_.find(owner);
  if (shelf == shelves_.end()) return nullptr;
  const auto at = shelf->second.stages.find(stage);
  return at == shelf->second.stages.end() ? nullptr : &at->second;
}

Staging::Taken Staging::take(const StageRequest& request, const CanonicalKey& key, const Owner& owner, Now now) {
  STATEFS_CHECK(request.total_size <= limits_.value_size_max && request.chunk.size() == request.chunk_size);
  Stage* stage = find(owner, request.stage);
  if (stage != nullptr && (stage->key != key.text() || stage->total_size != request.total_size)) {
    if (request.offset != 0) {
      STATEFS_MARK("staging.another_value");
      return {Status::stage_missing, 0};
    }
    STATEFS_MARK("staging.begins_anew");
    drop(owner, request.stage);
    stage = nullptr;
  }
  if (stage == nullptr) {
    if (request.offset != 0) {
      STATEFS_MARK("staging.unknown");
      return {Status::stage_missing, 0};
    }
    stage = begin(request, key, owner, now);
    if (stage == nullptr) return {Status::overloaded, 0};
  }
  const std::uint64_t held = stage->bytes.size();
  if (request.offset > held) {
    STATEFS_MARK("staging.gap");
    return {Status::stage_missing, held};
  }
  stage->used = now.monotonic;
  const auto offset = static_cast<std::size_t>(request.offset);
  const std::size_t known = std::min(stage->bytes.size() - offset, request.chunk.size());
  if (known > 0) STATEFS_MARK("staging.chunk_again");
  if (!equal(ByteView(stage->bytes).subspan(offset, known), request.chunk.first(known))) {
    // Other bytes are another value: nothing that was staged of the old one may become part of it.
    STATEFS_MARK("staging.other_bytes");
    drop(owner, request.stage);
    if (request.offset != 0) return {Status::stage_missing, 0};
    stage = begin(request, key, owner, now);
    if (stage == nullptr) return {Status::overloaded, 0};
    append(*stage, request.chunk);
    return {Status::ok, stage->bytes.size()};
  }
  append(*stage, request.chunk.subspan(known));
  return {Status::ok, stage->bytes.size()};
}

void Staging::append(Stage& stage, ByteView bytes) {
  STATEFS_CHECK(bytes.size() <= stage.total_size - stage.bytes.size());
  if (bytes.empty()) return;
  stage.bytes.insert(stage.bytes.end(), bytes.begin(), bytes.end());
  stage.sha.update(bytes);
}

Staging::Stage* Staging::begin(const StageRequest& request, const CanonicalKey& key, const Owner& owner, Now now) {
  Shelf& shelf = shelves_[owner];
  if (!make_room(shelf, request.total_size, now)) {
    if (shelf.stages.empty()) shelves_.erase(owner);
    return nullptr;
  }
  Stage& stage = shelf.stages[request.stage];
  stage.key.assign(key.text());
  stage.total_size = request.total_size;
  stage.bytes.reserve(static_cast<std::size_t>(request.total_size));
  stage.sha.begin();
  stage.used = now.monotonic;
  shelf.reserved_size += request.total_size;
  reserved_size_ += request.total_size;
  expires_ = earlier_of(expires_, now.monotonic + limits_.idle_max);
  return &stage;
}

// Own stages that nobody seems to go on with give way, the one that was used longest ago first.
bool Staging::make_room(Shelf& shelf, std::uint64_t size, Now now) {
  while (shelf.stages.size() >= limits_.stages_per_peer_max || shelf.reserved_size + size > limits_.bytes_per_peer_max) {
    const auto oldest = std::min_element(shelf.stages.begin(), shelf.stages.end(),
                                         [](const auto& a, const auto& b) { return a.second.used < b.second.used; });
    STATEFS_CHECK(oldest != shelf.stages.end());  // one value alone fits
    if (now.monotonic < oldest->second.used + limits_.yield_after) {
      STATEFS_MARK("staging.no_room");
      return false;
    }
    STATEFS_MARK("staging.yields");
    erase(shelf, oldest);
  }
  if (reserved_size_ + size > limits_.bytes_max) {
    STATEFS_MARK("staging.no_room_in_all");
    return false;
  }
  return true;
}

Staging::Whole Staging::find(const StageCommit& commit, const CanonicalKey& key, const Owner& owner, Now now) {
  Stage* const stage = find(owner, commit.stage);
  const bool is_whole = stage != nullptr && stage->key == key.text() && stage->total_size == commit.total_size &&
                        stage->bytes.size() == stage->total_size;
  if (!is_whole) {
    if (stage == nullptr) STATEFS_MARK("staging.put_of_none");
    else STATEFS_MARK("staging.put_of_part");
    return {Status::stage_missing, {}, {}};
  }
  stage->used = now.monotonic;
  if (!std::exchange(stage->whole, true)) stage->digest = stage->sha.finish();
  if (stage->digest != commit.digest) {
    STATEFS_MARK("staging.digest_mismatch");
    return {Status::digest_mismatch, {}, {}};
  }
  return {Status::ok, stage->bytes, stage->digest};
}

void Staging::erase(Shelf& shelf, std::map<std::uint64_t, Stage>::iterator at) {
  shelf.reserved_size -= at->second.total_size;
  reserved_size_ -= at->second.total_size;
  shelf.stages.erase(at);
}

void Staging::drop(const Owner& owner, std::uint64_t stage) {
  const auto shelf = shelves_.find(owner);
  if (shelf == shelves_.end()) return;
  if (const auto at = shelf->second.stages.find(stage); at != shelf->second.stages.end()) erase(shelf->second, at);
  if (shelf->second.stages.empty()) shelves_.erase(shelf);
  if (shelves_.empty()) expires_ = never;
}

void Staging::drop_all(const Owner& owner) {
  const auto shelf = shelves_.find(owner);
  if (shelf == shelves_.end()) return;
  reserved_size_ -= shelf->second.reserved_size;
  shelves_.erase(shelf);
  if (shelves_.empty()) expires_ = never;
}

// Chunks move the end of a stage's time, not `expires_`: that is found again when it has come.
void Staging::advance(Now now) {
  if (now.monotonic < expires_) return;
  expires_ = never;
  for (auto shelf = shelves_.begin(); shelf != shelves_.end();) {
    auto& stages = shelf->second.stages;
    for (auto at = stages.begin(); at != stages.end();) {
      const Time due = at->second.used + limits_.idle_max;
      const auto next = std::next(at);
      if (due <= now.monotonic) {
        STATEFS_MARK("staging.expires");
        erase(shelf->second, at);
      } else {
        expires_ = earlier_of(expires_, due);
      }
      at = next;
    }
    shelf = stages.empty() ? shelves_.erase(shelf) : std::next(shelf);
  }
}

}  // namespace statefs
