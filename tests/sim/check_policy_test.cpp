// Verdicts as the shadow gives them.
#include "tests/sim/objections.h"

namespace statefs::sim {
namespace {

TEST(CheckPolicy, ObjectsToVerdictsThatTheShadowDoesNotGive) {
  const auto read = [](const std::string& key, Status status, const std::string& value) {
    return [=](Forge& f) { f.answer_get(1, f.get(1, key), status, value.empty() ? 0 : 1, value); };
  };
  accept("denied outside", read("/state/other/a", Status::access_denied, ""));
  object("policy", "allowed outside", read("/state/other/a", Status::not_found, ""));
  object("policy", "denied inside", read("a", Status::access_denied, ""));
  object("policy", "another refusal", read("/state/other/a", Status::invalid_key, ""));
  object("policy", "a revision in a refusal", [](Forge& f) { f.answer_get(1, f.get(1, "/state/other/a"), Status::access_denied, 7, ""); });
  object("policy", "lists what is outside", [](Forge& f) { f.answer_list(1, f.list(1, root), {{"/state/other/a", 5}}); });
  object("policy", "lists a denied subtree", [](Forge& f) {
    const std::uint64_t index = f.did_put(2, "dir/a", "one");
    f.context.policies.push_back({{}, {}, {}, true, {}});
    f.policy(1);
    f.answer_list(1, f.list(1, root), {{root + "dir/a", index}});
  });
  object("policy", "an effect outside", [](Forge& f) { f.did_put(1, "/state/other/a", "one"); });
  object("policy", "an effect on another key", [](Forge& f) {
    f.twist = [](AuditRecord& r) { r.key = "/state/shared/a"; };
    f.did_put(1, "/state/others/a", "one");
  });
  object("policy", "the flag says otherwise", twisted([](AuditRecord& r) { r.allowed = false; }));
  object("policy", "of a stranger", [](Forge& f) {
    f.context.policies.push_back({{1}, {}, {}, false, {}});
    f.policy(1);
    f.did_put(1, "a", "one");
  });
  object("policy", "the policy before", [](Forge& f) {
    f.context.policies.push_back({{}, {1}, {}, false, {}});
    f.policy(1);
    f.did_put(1, "a", "one");
  });
  object("policy", "names another policy", [](Forge& f) {
    f.did_put(1, "a", "one");
    f.twist = [](AuditRecord& r) { r.policy[0] = 1; };
    f.did_put(1, "b", "two");
  });
  object("policy", "names the policy before", [](Forge& f) {
    f.context.policies.push_back({{}, {}, {}, true, {}});
    f.did_put(1, "a", "one");
    f.policy(1);
    f.twist = [](AuditRecord& r) { r.policy[0] = 0; };
    f.did_put(1, "b", "two");
  });
  accept("a policy that says the same has the same name", [](Forge& f) {
    f.context.policies.push_back({});
    f.did_put(1, "a", "one");
    f.policy(1);
    f.twist = [](AuditRecord& r) { r.policy[0] = 0; };
    f.did_put(1, "b", "two");
  });
  object("policy", "names another rule", twisted([](AuditRecord& r) { r.rule = 2; }));
  object("policy", "names no alias", twisted([](AuditRecord& r) { r.peer.alias = {}; }));
  object("policy", "may PUT and so DELETE", [](Forge& f) {
    f.did_put(1, "a", "one");
    f.context.policies[0].without[2] = {1};
    f.did_del(1, "a");
  });
  object("policy", "lists what it may GET and not LIST", [](Forge& f) {
    const std::uint64_t index = f.did_put(1, "a", "one");
    f.context.policies[0].without[3] = {1};
    f.answer_list(1, f.list(1, root), {{root + "a", index}});
  });
  object("policy", "a reserved subtree under a wide grant", [](Forge& f) {
    f.context.policies[0].wide = 1;
    f.did_put(1, "/state/boot/a", "one");
  });
  accept("a wide grant", [](Forge& f) {
    f.context.policies[0].wide = 1;
    f.did_put(1, "/state/other/a", "one");
  });
  object("policy", "its stage is looked for before its verdict", [](Forge& f) {
    f.answer_mutation(1, f.put(1, "/state/other/a", "one"), Op::put, 0, Status::stage_missing);
  });
  object("policy", "a verdict without a record", [](Forge& f) {
    f.answer_mutation(1, f.put(1, "/state/other/a", "one"), Op::put, 0, Status::access_denied);
  });
  object("policy", "tells a writer what is not there", [](Forge& f) {
    f.context.policies[0].writers = {1};
    const CallId id = f.del(1, "a");
    f.answer_mutation(1, id, Op::del, f.take_del(1, "a", Status::not_found), Status::not_found);
  });
  object("policy", "a condition of one who may not know", [](Forge& f) {
    f.context.policies[0].writers = {1};
    const CallId id = f.put(1, "a", "one", 0);
    f.answer_mutation(1, id, Op::put, f.take_put(1, "a", "one"));
  });
}

TEST(CheckPolicy, LetsAReadFollowEitherPolicyWhileItChanges) {
  for (const Status status : {Status::not_found, Status::access_denied}) {
    accept("either", [status](Forge& f) {
      f.context.policies.push_back({{}, {}, {1}, false, {}});
      const CallId id = f.get(1, "a");
      f.policy(1);
      f.answer_get(1, id, status, 0, "");
    });
  }
}

}  // namespace
}  // namespace statefs::sim
