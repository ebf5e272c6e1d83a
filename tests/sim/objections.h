// OBJECTIONS: what the checks say to a forged history, and the histories that several tests begin with.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tests/sim/forge.h"

namespace statefs::sim {

using Write = std::function<void(Forge&)>;

inline const std::string root = "/state/shared/";

inline std::vector<std::string> objections_to(const Write& write) {
  Forge forge;
  write(forge);
  return forge.objections();
}
inline void object(const char* name, const char* what, const Write& write) {
  EXPECT_THAT(objections_to(write), ::testing::Contains(name)) << what;
}
// The same, and its failure names an entry of the trace, so that a report can point at it.
inline void object_somewhere(const char* name, const char* what, const Write& write) {
  Forge forge;
  write(forge);
  std::string failure = "(none)";
  for (const CheckResult& each : forge.judge()) {
    if (each.name == name) failure = each.failure;
  }
  EXPECT_THAT(failure, ::testing::ContainsRegex(" entry [0-9]+")) << what;
}
inline void accept(const char* what, const Write& write) { EXPECT_THAT(objections_to(write), ::testing::IsEmpty()) << what; }

// A PUT of node 1 whose record is changed before it is encoded.
inline Write twisted(std::function<void(AuditRecord&)> twist) {
  return [twist = std::move(twist)](Forge& f) {
    f.twist = twist;
    f.did_put(1, "a", "one");
  };
}

// An answered PUT of node 1 that a crash takes back; then `after`.
inline Write lost_then(std::function<void(Forge&, CallId, std::uint64_t)> after) {
  return [after = std::move(after)](Forge& f) {
    const std::uint64_t kept = f.did_put(1, "b", "two");
    const CallId id = f.put(1, "a", "one");
    const std::uint64_t index = f.take_put(1, "a", "one");
    f.answer_mutation(1, id, Op::put, index);
    f.crash(kept);
    after(f, id, index);
  };
}

}  // namespace statefs::sim
