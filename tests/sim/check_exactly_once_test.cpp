// One execution at any moment, and every loss told.
#include "tests/sim/objections.h"

namespace statefs::sim {
namespace {

TEST(CheckExactlyOnce, ObjectsToExecutionsThatAreNotOne) {
  object("exactly_once", "of no call", [](Forge& f) { f.take_put(1, "a", "one"); });
  accept("of nobody who is watched", [](Forge& f) {
    f.context.server_of.erase(1);
    f.context.unwatched.insert(1);
    f.take_put(1, "a", "one");
  });
  object("exactly_once", "twice, answered once", [](Forge& f) {
    const CallId id = f.put(1, "a", "one");
    f.take_put(1, "a", "one");
    f.answer_mutation(1, id, Op::put, f.take_put(1, "a", "one"));
  });
  object("exactly_once", "twice, of unknown outcome", [](Forge& f) {
    f.complete(1, f.put(1, "a", "one"), CallResult::outcome_unknown);
    f.take_put(1, "a", "one");
    f.take_put(1, "a", "one");
  });
  object("exactly_once", "a DELETE twice", [](Forge& f) {
    f.did_put(1, "a", "one");
    f.complete(1, f.del(1, "a"), CallResult::outcome_unknown);
    f.take_del(1, "a");
    f.take_del(1, "a", Status::not_found);
  });
  object("exactly_once", "again after its answer", [](Forge& f) {
    f.did_put(1, "a", "one");
    f.take_put(1, "a", "one");
  });
  object("exactly_once", "before it was called", [](Forge& f) {
    f.answer_mutation(1, (f.take_put(1, "a", "one"), f.put(1, "a", "one")), Op::put, f.last());
  });
  object("exactly_once", "after its answer", [](Forge& f) {
    f.answer_mutation(1, f.put(1, "a", "one"), Op::put, f.last() + 1);
    f.take_put(1, "a", "one");
  });
  object("exactly_once", "though it timed out", [](Forge& f) {
    f.complete(1, f.put(1, "a", "one"), CallResult::timed_out);
    f.take_put(1, "a", "one");
  });
  object("exactly_once", "though it had no room", [](Forge& f) {
    const CallId id = f.put(1, "a", "one");
    f.take_put(1, "a", "one");
    f.answer_mutation(1, id, Op::put, 0, Status::no_space);
  });
  object("exactly_once", "answered OK without a record", [](Forge& f) { f.answer_mutation(1, f.put(1, "a", "one"), Op::put, 0); });
  accept("once, of unknown outcome", [](Forge& f) {
    f.complete(1, f.put(1, "a", "one"), CallResult::outcome_unknown);
    f.take_put(1, "a", "one");
  });
  accept("again after a crash took it back, for DELETEs too", [](Forge& f) {
    const std::uint64_t kept = f.did_put(2, "b", "two");
    const CallId put = f.put(1, "a", "one");
    const CallId del = f.del(1, "b");
    f.take_put(1, "a", "one");
    f.take_del(1, "b");
    f.crash(kept);
    f.answer_mutation(1, del, Op::del, f.take_del(1, "b"));
    f.answer_mutation(1, put, Op::put, f.take_put(1, "a", "one"));
  });
}

// A DELETE has no value that names its call; the session does.
TEST(CheckExactlyOnce, KnowsTheDeletesOfAClientsNextLifeByTheirSession) {
  const auto deletes = [](bool reported) {
    return [reported](Forge& f) {
      const std::uint64_t kept = f.did_put(2, "b", "two");
      f.del(1, "b");
      const CallId lost = f.put(1, "a", "one");
      const std::uint64_t index = f.take_put(1, "a", "one");
      f.answer_mutation(1, lost, Op::put, index);
      f.crash(kept);
      if (reported) f.lost_write(1, lost, index);
      f.crash_client(1);
      f.restart_client(1);
      f.complete(1, f.del(1, "b"), CallResult::outcome_unknown);
      f.take_del(1, "b");
    };
  };
  accept("the next life owes no word for the last", deletes(false));
  accept("told before", deletes(true));
  object("exactly_once", "the last life's call is none of the next", [](Forge& f) {
    f.did_put(1, "b", "two");
    f.del(1, "b");
    f.crash_client(1);
    f.restart_client(1);
    f.take_del(1, "b");
  });
}

TEST(CheckExactlyOnce, ObjectsToANumberThatIsUsedForSomethingElse) {
  const auto again = [](const std::string& key, bool lost) {
    return [=](Forge& f) {
      f.arrive(1);
      const std::uint64_t kept = f.did_put(2, "b", "two");
      const SlotRef at = f.next_slot(1);
      const std::uint64_t index = f.did_put(1, "a", "one");
      if (lost) {
        f.crash(kept);
        f.lost_write(1, 1, index);
      }
      f.ask_put(1, key, "one", at);
    };
  };
  object("exactly_once", "for another key", again("c", false));
  object("exactly_once", "for another key, when its record was lost", again("c", true));
  EXPECT_THAT(objections_to(again("a", false)), ::testing::Not(::testing::Contains("exactly_once"))) << "the same once more";
}

TEST(CheckExactlyOnce, ObjectsToLossesThatAreNotToldOrNotTrue) {
  object("exactly_once", "no word", lost_then([](Forge& f, CallId, std::uint64_t) { f.did_put(1, "c", "3"); }));
  object("exactly_once", "too late", lost_then([](Forge& f, CallId id, std::uint64_t index) {
    f.did_put(1, "c", "3");
    f.lost_write(1, id, index);
  }));
  accept("told in time", lost_then([](Forge& f, CallId id, std::uint64_t index) {
    f.lost_write(1, id, index);
    f.did_put(1, "c", "3");
  }));
  accept("it never got so far", lost_then([](Forge&, CallId, std::uint64_t) {}));
  accept("another's mutation says nothing", lost_then([](Forge& f, CallId, std::uint64_t) { f.did_put(2, "c", "3"); }));
  object("exactly_once", "told twice", lost_then([](Forge& f, CallId id, std::uint64_t index) {
    f.lost_write(1, id, index);
    f.lost_write(1, id, index);
  }));
  object("exactly_once", "another index", lost_then([](Forge& f, CallId id, std::uint64_t index) { f.lost_write(1, id, index - 1); }));
  object("exactly_once", "of no call", [](Forge& f) { f.lost_write(1, 9, 9); });
  object("exactly_once", "for certain, but it is there", [](Forge& f) { f.lost_write(1, 1, f.did_put(1, "a", "one")); });
  accept("perhaps, and it is there", [](Forge& f) {
    const std::uint64_t index = f.did_put(1, "a", "one");
    f.context.servers[0].sessions_per_key = 1;
    f.take_event(1, AuditKind::eviction, Op::open);
    f.lost_write(1, 1, index, false);
  });
}

}  // namespace
}  // namespace statefs::sim
