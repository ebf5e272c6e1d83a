// Nothing comes from behind a tampered byte.
#include "tests/sim/objections.h"

namespace statefs::sim {
namespace {

TEST(CheckChannel, ObjectsToWhatComesFromBehindATamperedByte) {
  const auto open = [](Forge& f, std::uint64_t stream) { f.add(1, TraceKind::stream_opened, stream); };
  object("channel", "a request", [&](Forge& f) {
    open(f, 1);
    f.tampered(0, 1);
    f.did_put(1, "a", "one");
  });
  object("channel", "an answer", [&](Forge& f) {
    open(f, 1);
    f.tampered(1, 1);
    f.answer_get(1, f.get(1, "a"), Status::not_found, 0, "");
  });
  accept("on the next stream", [&](Forge& f) {
    open(f, 1);
    f.tampered(0, 1);
    f.tampered(1, 1);
    open(f, 2);
    f.did_put(1, "a", "one");
  });
  accept("on one of two streams, with another to go on with", [&](Forge& f) {
    open(f, 1);
    open(f, 2);
    f.tampered(0, 2);
    f.tampered(1, 2);
    f.did_put(1, "a", "one");
  });
  object("channel", "a request, when the other stream is closed", [&](Forge& f) {
    open(f, 1);
    f.add(1, TraceKind::stream_closed, 1);
    open(f, 2);
    f.tampered(0, 2);
    f.did_put(1, "a", "one");
  });
  accept("what was called before", [&](Forge& f) {
    open(f, 1);
    const CallId id = f.get(1, "a");
    f.tampered(0, 1);
    f.tampered(1, 1);
    f.answer_get(1, id, Status::not_found, 0, "");
  });
  object("channel", "damage that nobody did", [](Forge& f) { f.take_count(1, AuditKind::damaged, Op::put, Status::ok); });
  object("channel", "a bad handshake that nobody did", [](Forge& f) {
    f.twist = [](AuditRecord& r) { r.peer = {}; };
    f.take_count(1, AuditKind::handshakes, static_cast<Op>(HandshakeFailure::bad_message), Status::ok);
  });
}

TEST(CheckChannel, ObjectsToDamageWithoutARecordAndToDistrustWithoutDamage) {
  const auto damaged = [](Forge& f, bool is_recorded) {
    f.add(1, TraceKind::stream_opened, 1);
    f.tampered(0, 1);
    f.context.refusals.push_back({0, 0, false});
    if (is_recorded) f.take_count(1, AuditKind::damaged, Op::put, Status::malformed);
    f.add(1, TraceKind::stream_opened, 2);
    f.did_put(1, "a", "one");
    f.flush();
  };
  object("channel", "damage that is not recorded", [&](Forge& f) { damaged(f, false); });
  accept("damage that is", [&](Forge& f) { damaged(f, true); });
  const auto distrusted = [](Forge& f, bool is_tampered_with) {
    f.add(1, TraceKind::stream_opened, 1);
    if (is_tampered_with) f.tampered(1, 1);
    f.add(1, TraceKind::distrusted, 1);
  };
  object("channel", "a client that does not believe what nobody changed", [&](Forge& f) { distrusted(f, false); });
  accept("one that has a reason", [&](Forge& f) { distrusted(f, true); });
}

TEST(CheckChannel, ObjectsToAnAnswerBehindWhatDidNotAuthenticate) {
  const auto refused = [](Place later) {
    return [later](Forge& f) {
      f.arrive(1);
      SeenArrival& arrival = f.arrivals.back();
      arrival.refused = arrival.last_said;
      arrival.last_said += later;
    };
  };
  EXPECT_THAT(objections_to(refused(0)), ::testing::Not(::testing::Contains("channel")));
  object("channel", "speaks on", refused(1));
}

}  // namespace
}  // namespace statefs::sim
