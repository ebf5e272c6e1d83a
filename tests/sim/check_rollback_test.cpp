// What clients say of a store that lost what it had called durable.
#include "tests/sim/objections.h"

namespace statefs::sim {
namespace {

Bytes report() {
  Bytes payload;
  Writer writer(payload);
  writer.u64(0);
  writer.u64(1);
  return payload;
}

// A put that node 1 was told is durable, and then its store comes back without it. `says` is what the client then does.
Write rolled_back_then(std::function<void(Forge&, std::uint64_t)> says) {
  return [says](Forge& f) {
    const std::uint64_t kept = f.last();
    const std::uint64_t index = f.did_put(1, "a", "one");
    f.flush();
    f.answer_sync(1, f.sync(1));
    f.roll_back(kept);
    says(f, index);
    f.answer_get(1, f.get(1, "a"), Status::not_found, 0, "");
  };
}

TEST(CheckRollback, ObjectsToSilenceAndToFalseAlarms) {
  accept("a report", rolled_back_then([](Forge& f, std::uint64_t index) { f.add(1, TraceKind::rolled_back, index, report()); }));
  object("rollback", "not a word", rolled_back_then([](Forge&, std::uint64_t) {}));
  object("rollback", "twice", rolled_back_then([](Forge& f, std::uint64_t index) {
           for (int i = 0; i < 2; ++i) f.add(1, TraceKind::rolled_back, index, report());
         }));
  object("rollback", "another client's word",
         rolled_back_then([](Forge& f, std::uint64_t index) { f.add(2, TraceKind::rolled_back, index, report()); }));
  object("rollback", "an ordinary crash", [](Forge& f) {
    const std::uint64_t kept = f.did_put(1, "a", "one");
    f.flush();
    f.crash(kept);
    f.add(1, TraceKind::rolled_back, kept, report());
  });
  object("rollback", "no crash at all", [](Forge& f) { f.add(1, TraceKind::rolled_back, f.last(), report()); });
}

TEST(CheckRollback, ObjectsToASessionThatIsResumed) {
  const auto goes_on = [](std::uint8_t instance) {
    return [instance](Forge& f) {
      const std::uint64_t kept = f.last();
      f.arrive(1);
      f.ask(1, OpenRequest{SessionInstance{1}, 1});
      const std::uint64_t index = f.did_put(1, "a", "one");
      f.flush();
      f.answer_sync(1, f.sync(1));
      f.roll_back(kept);
      f.add(1, TraceKind::rolled_back, index, report());
      f.arrive(1);
      f.ask(1, ResumeRequest{SessionInstance{instance}, 2});
    };
  };
  object("rollback", "its own of before", goes_on(1));
  EXPECT_THAT(objections_to(goes_on(2)), ::testing::Not(::testing::Contains("rollback"))) << "one that nobody opened before";
}

}  // namespace
}  // namespace statefs::sim
