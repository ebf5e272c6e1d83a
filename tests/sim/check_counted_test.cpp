// Refusals, damage and failed handshakes are recorded as often as they were.
#include "tests/sim/objections.h"

namespace statefs::sim {
namespace {

void refuse_reads(Forge& f, int count) {
  const std::string key = "/state/other/a";
  f.arrive(1);
  for (int i = 0; i < count; ++i) {
    const std::size_t asked = f.ask(1, GetRequest{{}, 0, 10, as_bytes(key)});
    f.reply(asked, Status::access_denied, GetResponse{});
  }
}

// So many refusals of reads, recorded in one record before any of them is answered.
Write refused(int answered, std::uint64_t recorded) {
  return [=](Forge& f) {
    f.twist = [recorded](AuditRecord& record) { record.count = recorded; };
    f.take_count(1, AuditKind::refusals, Op::get, Status::access_denied);
    refuse_reads(f, answered);
  };
}

// So many that failed, and then the calm.
void record_handshakes(Forge& f, NodeId node, HandshakeFailure why, std::uint64_t count) {
  f.twist = [count](AuditRecord& record) {
    record.peer = {};
    record.count = count;
  };
  f.take_count(node, AuditKind::handshakes, static_cast<Op>(why), Status::access_denied);
  f.flush();
  f.add(0, TraceKind::calm, 0);
}

bool accepts(const Write& write) {
  const auto said = objections_to(write);
  return std::find(said.begin(), said.end(), "counted") == said.end();
}

TEST(CheckCounted, HoldsRefusalsToTheirNumber) {
  EXPECT_TRUE(accepts(refused(3, 3)));
  object_somewhere("counted", "one too few", refused(3, 2));
  object_somewhere("counted", "one too many", refused(3, 4));
  object_somewhere("counted", "none", [](Forge& f) { refuse_reads(f, 1); });
  object_somewhere("counted", "under another status", [](Forge& f) {
    f.take_count(1, AuditKind::refusals, Op::get, Status::invalid_key);
    refuse_reads(f, 1);
  });
  object_somewhere("counted", "of another peer", [](Forge& f) {
    f.twist = [](AuditRecord& record) { record.count = 1; };
    f.take_count(2, AuditKind::refusals, Op::get, Status::access_denied);
    refuse_reads(f, 1);
  });
  EXPECT_TRUE(accepts([](Forge& f) {
    refused(2, 3)(f);
    const std::string key = "/state/other/a";
    (void)f.ask(1, GetRequest{{}, 0, 10, as_bytes(key)});
  })) << "one whose answer never came";
}

TEST(CheckCounted, HoldsDamageAndStrangersToTheirNumber) {
  const auto damaged = [](bool is_recorded) {
    return [=](Forge& f) {
      f.arrive(1);
      f.arrivals.back().refused = f.arrivals.back().at;
      f.twist = [](AuditRecord& record) { record.count = 1; };
      if (is_recorded) f.take_count(1, AuditKind::damaged, Op::put, Status::malformed);
    };
  };
  EXPECT_TRUE(accepts(damaged(true)));
  object_somewhere("counted", "damage without a record", damaged(false));
  const auto strange = [](std::uint64_t recorded) {
    return [=](Forge& f) {
      f.context.strangers.insert(3);
      f.arrive(3);
      f.exchanges.pop_back();
      f.arrivals.back().is_heard = false;
      f.arrivals.back().last_said = no_place;
      record_handshakes(f, 3, HandshakeFailure::not_enrolled, recorded);
    };
  };
  EXPECT_TRUE(accepts(strange(1)));
  object_somewhere("counted", "a stranger too few", strange(0));
  object_somewhere("counted", "a stranger too many", strange(2));
}

TEST(CheckCounted, ObjectsToHandshakesThatTimedOutAndAreNotRecorded) {
  const auto timed_out = [](std::uint64_t recorded) {
    return [=](Forge& f) {
      f.arrive(1);
      SeenLoad load;
      load.timed_out = 2;
      f.loads.push_back(load);
      record_handshakes(f, 1, HandshakeFailure::timed_out, recorded);
    };
  };
  EXPECT_TRUE(accepts(timed_out(2)));
  object_somewhere("counted", "one too few", timed_out(1));
}

TEST(CheckCounted, IsNotAskedForWhatStrangersAreTold) {
  object("policy", "a stranger is answered", [](Forge& f) {
    f.context.strangers.insert(3);
    f.arrive(3);
  });
}

}  // namespace
}  // namespace statefs::sim
