// What a crash may not take back.
#include "sim/digest.h"
#include "tests/sim/objections.h"

namespace statefs::sim {
namespace {

TEST(CheckDurability, ObjectsToWhatACrashMayNotTakeBack) {
  object("durability", "what was durable", [](Forge& f) {
    const std::uint64_t kept = f.last();
    f.did_put(1, "a", "one");
    f.flush();
    f.crash(kept);
  });
  object("durability", "what is durable goes back", [](Forge& f) { f.add(0, TraceKind::durable, 1); });
  const auto synced = lost_then([](Forge&, CallId, std::uint64_t) {});
  accept("in sync mode", synced);
  object("durability", "in commit mode", [&](Forge& f) {
    f.context.servers[0].durability = Durability::commit;
    synced(f);
  });
  object("durability", "an answer before its flush, in commit mode", [](Forge& f) {
    f.context.servers[0].durability = Durability::commit;
    f.did_put(1, "a", "one");
    f.flush();
  });
  object("durability", "a read in commit mode", [](Forge& f) {
    f.context.servers[0].durability = Durability::commit;
    f.answer_get(2, f.get(2, "a"), Status::ok, f.take_put(1, "a", "one"), "one");
  });
  object("durability", "a SYNC that covers nothing", [](Forge& f) {
    f.did_put(1, "a", "one");
    f.answer_sync(1, f.sync(1));
  });
  object("durability", "a SYNC of a write that was lost meanwhile", lost_then([](Forge& f, CallId, std::uint64_t) { f.answer_sync(1, f.sync(1)); }));
  accept("a SYNC after the loss was told", lost_then([](Forge& f, CallId id, std::uint64_t index) {
    f.lost_write(1, id, index);
    f.answer_sync(1, f.sync(1));
  }));
  object("durability", "a head that is not durable", [](Forge& f) {
    const CallId id = f.put(1, "a", "one");
    const std::uint64_t index = f.take_put(1, "a", "one");
    f.retell = [&f](MutationResponse& answer) { answer.head = f.head(); };
    f.answer_mutation(1, id, Op::put, index);
  });
  object("durability", "a session that is used before it is durable", [](Forge& f) {
    f.take_open(1);
    f.did_put(1, "a", "one");
  });
}

Bytes recovered(const std::string& key, std::uint64_t revision, const std::string& value) {
  Bytes payload;
  Writer writer(payload);
  writer.u16(static_cast<std::uint16_t>(key.size()));
  writer.bytes(as_bytes(key));
  writer.u64(revision);
  writer.u64(hash_bytes(as_bytes(value)));
  return payload;
}

TEST(CheckDurability, ObjectsToAStoreThatComesBackOtherwise) {
  const auto comes_back = [](std::string key, std::string value) {
    return [key, value](Forge& f) {
      const std::uint64_t index = f.did_put(1, "a", "one");
      f.flush();
      f.crash(index);
      f.add(0, TraceKind::recovered, index, recovered(key, index, value));
    };
  };
  accept("as it was", comes_back("/state/shared/a", "one"));
  object("durability", "with another value", comes_back("/state/shared/a", "two"));
  object("durability", "with another key", comes_back("/state/shared/b", "one"));
  object("durability", "without what was there", [](Forge& f) {
    const std::uint64_t index = f.did_put(1, "a", "one");
    f.flush();
    f.crash(index);
    f.add(0, TraceKind::recovered, index, {});
  });
}

TEST(CheckDurability, ObjectsToARefusalWithoutACauseAndToWhatIsServedAfterIt) {
  object("durability", "a sound disk", [](Forge& f) { f.add(0, TraceKind::store_refused, 0); });
  const auto rots = [](Forge& f) {
    f.add(0, TraceKind::fault, 0, as_bytes("disk_rot"));
    f.add(0, TraceKind::store_refused, 0);
  };
  const auto opens_again = [&](bool swapped) {
    return [&rots, swapped](Forge& f) {
      f.flush();
      rots(f);
      if (swapped) f.add(0, TraceKind::fault, 0, as_bytes("disk_swap"));
      f.add(0, TraceKind::recovered, f.last(), {});
      f.arrive(1);
      f.reply(f.ask(1, SyncRequest{1}), Status::ok, SyncResponse{1, f.last(), 0, f.head()});
    };
  };
  accept("a disk that rots", rots);
  object("durability", "and an answer after it", [&](Forge& f) {
    rots(f);
    f.arrive(1);
    f.reply(f.ask(1, SyncRequest{1}), Status::ok, SyncResponse{1, f.last(), 0, f.head()});
  });
  object("durability", "the same disk, believed after all", opens_again(false));
  accept("another copy of the disk", opens_again(true));
}

}  // namespace
}  // namespace statefs::sim
