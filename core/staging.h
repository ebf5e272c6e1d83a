// STAGING: large values on their way in: chunks put together in memory until a PUT commits the whole.
//
//   service.h (STAGE: key and policy are judged) -> STAGING -> mutations.h (the PUT that names a stage)
//
// docs/PROTOCOL.md section 8. A stage belongs to a peer, not to a connection, and names the one key that its PUT will name. It
// holds the bytes from offset 0 without a gap, and their SHA-256 as far as they go, so that each byte is hashed once. It takes
// room for its whole value when it begins. It is volatile: it goes when a PUT has used it, when the same peer begins it anew,
// after StagingLimits::idle_max without a chunk, or, sooner, when its own peer needs the room.
//
// Invariant: what one peer stages never takes room from another: `bytes_max` has that of all that a policy may name.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "core/bytes.h"
#include "core/crypto.h"
#include "core/key.h"
#include "core/limits.h"
#include "core/marks.h"
#include "core/owner.h"
#include "core/request.h"
#include "core/response.h"
#include "core/time.h"

namespace statefs {

struct StagingLimits {
  std::size_t value_size_max = limits::total_value_size_default;  // of a whole value; at most limits::total_value_size_ceiling
  std::size_t stages_per_peer_max = limits::stages_per_peer_max;
  std::size_t bytes_per_peer_max = limits::staged_values_per_peer * limits::total_value_size_default;  // total sizes, not what came of them
  std::size_t bytes_max = limits::staging_owners_max * limits::staged_values_per_peer * limits::total_value_size_default;
  Duration idle_max = limits::stage_idle_max;
  Duration yield_after = limits::stage_yield_after;  // without a chunk, it gives way to another stage of its peer

  // With room for as many values of `size` bytes as the defaults have for theirs.
  [[nodiscard]] static StagingLimits for_values_up_to(std::size_t size);
};

class Staging {
 public:
  // `marks` outlives it. A peer has room for one value of the largest size at least.
  Staging(const StagingLimits& limits, Marks& marks);

  struct Taken {
    Status status = Status::ok;     // or OVERLOADED, STAGE_MISSING
    std::uint64_t staged_size = 0;  // of the stage that was asked for, after this chunk; 0 where it is another key's or size's
  };
  // The chunk of a request whose key and sizes were judged.
  [[nodiscard]] Taken take(const StageRequest& request, const CanonicalKey& key, const Owner& owner, Now now);

  struct Whole {
    Status status = Status::ok;  // or STAGE_MISSING, DIGEST_MISMATCH
    ByteView value;              // until anything is taken or dropped
    Digest digest{};             // SHA-256 of it
  };
  // The value that a PUT commits. It stays until drop().
  [[nodiscard]] Whole find(const StageCommit& commit, const CanonicalKey& key, const Owner& owner, Now now);
  void drop(const Owner& owner, std::uint64_t stage);
  void drop_all(const Owner& owner);
  // All owners for whom `keep` is false lose their stages.
  template <typename Keep>
  void drop_unless(Keep keep) {
    for (auto at = shelves_.begin(); at != shelves_.end();) {
      const Owner& owner = (at++)->first;
      if (!keep(owner)) drop_all(Owner(owner));
    }
  }

  // Drops what has been idle for too long.
  void advance(Now now);
  [[nodiscard]] Time deadline() const { return expires_; }
  // Total sizes of all stages: what is held is no more.
  [[nodiscard]] std::uint64_t reserved_size() const { return reserved_size_; }
  [[nodiscard]] const StagingLimits& limits() const { return limits_; }

 private:
  struct Stage {
    std::string key;
    std::uint64_t total_size = 0;
    Bytes bytes;         // from offset 0; room for total_size
    Sha256 sha;          // of `bytes`
    bool whole = false;  // `digest` is set
    Digest digest{};
    Time used;           // the last chunk, or PUT
  };
  struct Shelf {
    std::map<std::uint64_t, Stage> stages;
    std::uint64_t reserved_size = 0;
  };
  using Shelves = std::map<Owner, Shelf>;

  [[nodiscard]] Stage* find(const Owner& owner, std::uint64_t stage);
  [[nodiscard]] Stage* begin(const StageRequest& request, const CanonicalKey& key, const Owner& owner, Now now);
  [[nodiscard]] bool make_room(Shelf& shelf, std::uint64_t size, Now now);
  void erase(Shelf& shelf, std::map<std::uint64_t, Stage>::iterator at);
  void append(Stage& stage, ByteView bytes);

  StagingLimits limits_;
  Marks& marks_;
  Shelves shelves_;  // of owners that have a stage
  std::uint64_t reserved_size_ = 0;
  Time expires_ = never;  // no stage is idle for too long before this
};

}  // namespace statefs
