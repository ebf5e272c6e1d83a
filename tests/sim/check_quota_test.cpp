// A quota of keys is in the way exactly where it is full.
#include "tests/sim/objections.h"

namespace statefs::sim {
namespace {

void limit_to_one(Forge& f) {
  PolicyPlan plan;
  plan.quota_keys = 1;
  f.context.policies.push_back(plan);
  f.policy(1);
}

TEST(CheckQuota, ObjectsToAKeyTooManyAndToARefusalOverNone) {
  object("quota", "a second key", [](Forge& f) {
    limit_to_one(f);
    f.did_put(1, "a", "one");
    f.did_put(1, "b", "two");
  });
  object("quota", "a refusal of the first key", [](Forge& f) {
    limit_to_one(f);
    f.put(1, "a", "one");
    f.take_put(1, "a", "one", Status::quota_exceeded);
  });
  accept("the same key again, and another after a DELETE", [](Forge& f) {
    limit_to_one(f);
    f.did_put(1, "a", "one");
    f.did_put(1, "a", "two");
    f.did_del(1, "a");
    f.did_put(1, "b", "three");
  });
  accept("any number without a quota", [](Forge& f) {
    f.did_put(1, "a", "one");
    f.did_put(1, "b", "two");
  });
}

}  // namespace
}  // namespace statefs::sim
