// A call ends once, with what can be said of its op.
#include "tests/sim/objections.h"

namespace statefs::sim {
namespace {

TEST(CheckCompleted, ObjectsToCallsThatDoNotEndOnce) {
  object("completed", "no completion", [](Forge& f) { f.get(1, "a"); });
  object("completed", "two completions", [](Forge& f) {
    const CallId id = f.get(1, "a");
    f.complete(1, id, CallResult::timed_out);
    f.complete(1, id, CallResult::timed_out);
  });
  object("completed", "after its client went down", [](Forge& f) {
    const CallId id = f.get(1, "a");
    f.crash_client(1);
    f.complete(1, id, CallResult::timed_out);
  });
  object("completed", "a completion of no call", [](Forge& f) { f.complete(1, 7, CallResult::timed_out); });
  object("completed", "what cannot be decoded", [](Forge& f) { f.add(1, TraceKind::call, 1, {}); });
  object("completed", "the answer to another op", [](Forge& f) { f.answer_sync(1, f.get(1, "a")); });
  object("completed", "a read of unknown outcome", [](Forge& f) { f.complete(1, f.get(1, "a"), CallResult::outcome_unknown); });
  accept("its client went down", [](Forge& f) {
    f.get(1, "a");
    f.crash_client(1);
  });
}

}  // namespace
}  // namespace statefs::sim
