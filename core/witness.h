// WITNESS: the highest durable head that a client was told, and whether a server that it meets still has it.
//
//   response.h (HELLO, SYNC, mutations) -> WITNESS -> client.h, which reports a rollback and does not resume
//
// A store whose history lacks what it called durable was cut back or rewritten: an older copy of its disk, say. What was lost above
// the durable index is no rollback; the slots tell of that.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "core/request.h"
#include "core/response.h"

namespace statefs {

struct SeenHead {
  StoreId store{};
  std::uint64_t epoch = 0;  // in which it was seen; 0: none was
  AuditHead head;
  friend bool operator==(const SeenHead&, const SeenHead&) = default;
};

struct Rollback {
  SeenHead seen;                    // what the store no longer has
  std::uint64_t epoch = 0;          // what it says now
  std::uint64_t durable_index = 0;
  HeadComparison comparison = HeadComparison::none;
  friend bool operator==(const Rollback&, const Rollback&) = default;
};

class Witness {
 public:
  // What an earlier client of the same server had seen, where that was kept.
  explicit Witness(const SeenHead& seen = {}) : seen_(seen) {}

  [[nodiscard]] const SeenHead& seen() const { return seen_; }
  // What to say in HELLO.
  void introduce(HelloRequest& request) const;
  // The answer. True: it is a rollback, which take() reports; from here on what the server has now counts.
  [[nodiscard]] bool greeted(const HelloResponse& answer);
  // Any other answer of that server, in its epoch: it may name a durable head.
  void heard(std::uint64_t epoch, const Response& answer);
  [[nodiscard]] std::optional<Rollback> take();

 private:
  void told(std::uint64_t epoch, const AuditHead& head);
  SeenHead seen_;
  std::optional<Rollback> rollback_;  // not taken yet: the first, if there are several
};

}  // namespace statefs
