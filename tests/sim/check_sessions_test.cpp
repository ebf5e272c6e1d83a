// Slots and sessions as the records tell them.
#include "tests/sim/objections.h"

namespace statefs::sim {
namespace {

TEST(CheckSessions, ObjectsToWhatASlotTableCannotDo) {
  object("sessions", "a sequence again", twisted([](AuditRecord& r) { r.at.sequence = 0; }));
  object("sessions", "a gap", twisted([](AuditRecord& r) { r.at.sequence = 2; }));
  object("sessions", "another generation", twisted([](AuditRecord& r) { r.at.generation = 2; }));
  object("sessions", "no such session", twisted([](AuditRecord& r) { ++r.at.session; }));
  object("sessions", "no such slot", twisted([](AuditRecord& r) { r.at.slot = 99; }));
  object("sessions", "opened under another number", [](Forge& f) {
    f.twist = [](AuditRecord& r) { --r.at.session; };
    f.take_open(1);
  });
  object("sessions", "a generation that goes back", [](Forge& f) { f.take_event(1, AuditKind::session, Op::resume); });
  object("sessions", "used after its close", [](Forge& f) {
    f.take_event(1, AuditKind::session, Op::close);
    f.flush();
    f.did_put(1, "a", "one");
  });
  object("sessions", "used after its eviction", [](Forge& f) {
    f.take_event(1, AuditKind::eviction, Op::open);
    f.flush();
    f.did_put(1, "a", "one");
  });
  // A connection that is heard afterwards was there.
  const auto evicted = [](bool is_heard) {
    return [=](Forge& f) {
      f.context.servers[0].sessions_per_key = 2;
      f.arrive(1);
      const std::size_t asked = f.ask(1, OpenRequest{{}, 1});
      const std::uint64_t number = f.take_open(1);
      f.flush();
      f.reply(asked, Status::ok, SessionResponse{number, 1, 0, std::vector<SlotState>(limits::slots_per_session)});
      f.take_event(1, AuditKind::eviction, Op::open);
      f.flush();
      if (is_heard) f.ask(1, SyncRequest{1});
    };
  };
  EXPECT_THAT(objections_to(evicted(false)), ::testing::Not(::testing::Contains("sessions")));
  object("sessions", "evicted in use", evicted(true));
  object("sessions", "a sequence that a crash left", [](Forge& f) {
    const std::uint64_t kept = f.did_put(1, "a", "one");
    f.crash(kept);
    f.twist = [](AuditRecord& r) { r.at.sequence = 1; };
    f.did_put(1, "b", "two");
  });
}

}  // namespace
}  // namespace statefs::sim
