// A quota of keys, or of bytes, is in the way exactly where it is full.
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

TEST(CheckQuota, ObjectsToAByteTooManyAndToARefusalOverNone) {
  const auto limit_bytes = [](Forge& f) {
    PolicyPlan plan;
    plan.quota_bytes = 6;
    f.context.policies.push_back(plan);
    f.policy(1);
  };
  const auto puts = [&](const std::vector<std::pair<std::string, std::string>>& all) {
    return [&limit_bytes, all](Forge& f) {
      limit_bytes(f);
      for (const auto& [key, value] : all) f.did_put(1, key, value);
    };
  };
  accept("as many as it may have", puts({{"a", "one"}, {"b", "two"}}));
  accept("its own key again", puts({{"a", "sixsix"}, {"a", "666666"}}));
  object("quota", "one byte more", puts({{"a", "one"}, {"b", "four"}}));
  accept("another's key, charged to another", [&](Forge& f) {
    limit_bytes(f);
    f.did_put(1, "a", "sixsix");
    f.did_put(2, "a", "666666");
    f.did_put(1, "b", "sixsix");
  });
  object("quota", "a refusal below it", [&](Forge& f) {
    limit_bytes(f);
    f.put(1, "a", "sixsix");
    f.take_put(1, "a", "sixsix", Status::quota_exceeded);
  });
  accept("a refusal beyond it", [&](Forge& f) {
    limit_bytes(f);
    const CallId call = f.put(1, "a", "7777777");
    f.answer_mutation(1, call, Op::put, f.take_put(1, "a", "7777777", Status::quota_exceeded), Status::quota_exceeded);
  });
}

}  // namespace
}  // namespace statefs::sim
