// What the store did, its record and the call agree.
#include "tests/sim/objections.h"

namespace statefs::sim {
namespace {

TEST(CheckRecorded, ObjectsToARecordThatIsNotWhatWasDone) {
  const std::string a = root + "a";
  object("recorded", "another index", twisted([](AuditRecord& r) { ++r.index; }));
  object("recorded", "another epoch", twisted([](AuditRecord& r) { ++r.epoch; }));
  object("recorded", "another node", twisted([](AuditRecord& r) { r.node.bytes[0] ^= 1; }));
  object("recorded", "another value", twisted([](AuditRecord& r) { r.value_mac[0] ^= 1; }));
  object("recorded", "another size", twisted([](AuditRecord& r) { ++r.value_size; }));
  object("recorded", "another key", twisted([](AuditRecord& r) { r.key = "/state/shared/b"; }));
  object("recorded", "another new revision", twisted([](AuditRecord& r) { ++r.new_revision; }));
  object("recorded", "refused, and an effect", twisted([](AuditRecord& r) { r.status = Status::quota_exceeded; }));
  object("recorded", "another peer", twisted([](AuditRecord& r) { r.peer.key.bytes[0] ^= 1; }));
  object("recorded", "the op of a DELETE", twisted([](AuditRecord& r) { r.op = static_cast<std::uint8_t>(Op::del); }));
  const auto with_effect = [&a](Status status, Effect::Kind effect) {
    return [&a, status, effect](Forge& f) { f.take(f.mutation(1, Op::put, a, "one", status), effect, a, "one"); };
  };
  object("recorded", "done without an effect", with_effect(Status::ok, Effect::Kind::none));
  object("recorded", "an erasing PUT", with_effect(Status::ok, Effect::Kind::erase));
  object("recorded", "what is not consumed", with_effect(Status::no_space, Effect::Kind::none));
  object("recorded", "the effect of a count", [&a](Forge& f) {
    AuditRecord record = f.mutation(1, Op::get, a, "", Status::access_denied);
    record.kind = AuditKind::refusals;
    f.take(record, Effect::Kind::put, a, "one");
  });
  object("recorded", "a DELETE of what is absent, answered OK to one who may know", [&a](Forge& f) {
    const CallId id = f.del(1, "a");
    f.answer_mutation(1, id, Op::del, f.take(f.mutation(1, Op::del, a, "", Status::ok), Effect::Kind::none, a, ""));
  });
  accept("the same to one who may not know", [&a](Forge& f) {
    f.context.policies[0].writers = {1};
    const CallId id = f.del(1, "a");
    f.answer_mutation(1, id, Op::del, f.take(f.mutation(1, Op::del, a, "", Status::ok), Effect::Kind::none, a, ""));
  });
  object("recorded", "another status than answered", [](Forge& f) {
    f.answer_mutation(1, f.put(1, "a", "one"), Op::put, f.last() + 1, Status::quota_exceeded);
    f.take_put(1, "a", "one");
  });
  object("recorded", "another revision than answered", [](Forge& f) {
    f.retell = [](MutationResponse& answer) { ++answer.revision; };
    f.did_put(1, "a", "one");
  });
}

TEST(CheckRecorded, ObjectsToAnotherDigestOfAKeyThatIsTooLong) {
  static const std::string key = root + std::string(limits::key_size_max, 'k');
  const auto refused = [](std::uint8_t wrong) {
    return [wrong](Forge& f) {
      f.twist = [wrong](AuditRecord& r) {
        r.key = std::string_view(key).substr(0, limits::key_size_max);
        r.key_digest = Sha256().of(as_bytes(key));
        r.key_digest[0] ^= wrong;
      };
      const CallId id = f.put(1, key, "one");
      f.answer_mutation(1, id, Op::put, f.take_put(1, key, "one", Status::key_too_long), Status::key_too_long);
    };
  };
  accept("its own", refused(0));
  object("recorded", "another", refused(1));
}

}  // namespace
}  // namespace statefs::sim
