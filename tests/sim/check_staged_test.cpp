// A value that came in chunks is what was staged and committed, and a stage is missing only where it can be.
#include "core/crypto.h"
#include "tests/sim/objections.h"

namespace statefs::sim {
namespace {

constexpr std::uint64_t stage = 7;

void chunk(Forge& f, NodeId node, const std::string& value, std::size_t offset, std::size_t size, Status status, std::uint64_t staged_size,
           const std::string& key = "a") {
  const std::string name = root + key;
  const std::string bytes = value.substr(offset, size);
  const std::size_t asked =
      f.ask(node, StageRequest{stage, value.size(), offset, as_bytes(name), static_cast<std::uint32_t>(bytes.size()), as_bytes(bytes)});
  f.reply(asked, status, StageResponse{staged_size, status == Status::overloaded ? 200u : 0u});
}

std::size_t commit(Forge& f, NodeId node, const std::string& value, const std::string& digest_of, const SlotRef& at) {
  const std::string key = root + "a";
  PutRequest put;
  put.at = at;
  put.key = as_bytes(key);
  put.stage = StageCommit{stage, value.size(), Sha256().of(as_bytes(digest_of))};
  return f.ask(node, put);
}

// Stages with `steps`, and then a PUT of `value` that takes effect with `kept`.
Write committed(std::function<void(Forge&)> steps, const std::string& value = "abcdef", const std::string& kept = "abcdef") {
  return [=](Forge& f) {
    f.arrive(1);
    steps(f);
    const std::size_t asked = commit(f, 1, value, value, f.next_slot(1));
    f.reply_put(asked, f.take_put(1, "a", kept));
  };
}
void whole(Forge& f) {
  chunk(f, 1, "abcdef", 0, 4, Status::ok, 4);
  chunk(f, 1, "abcdef", 2, 4, Status::ok, 6);
}
bool objects(const Write& write) {
  const auto said = objections_to(write);
  return std::find(said.begin(), said.end(), "staged") != said.end();
}

TEST(CheckStaged, AcceptsAValueThatWasStagedAndCommitted) {
  EXPECT_FALSE(objects(committed(whole)));
  accept("no stage at all", [](Forge& f) {
    f.arrive(1);
    f.asked_put(1, "a", "one");
  });
}

TEST(CheckStaged, ObjectsToAValueThatIsNotWhatWasCommitted) {
  EXPECT_TRUE(objects(committed(whole, "abcdef", "abcdeX"))) << "another digest";
  EXPECT_TRUE(objects(committed(whole, "abcdef", "abcde"))) << "another size";
  EXPECT_TRUE(objects(committed([](Forge& f) { chunk(f, 1, "abcdef", 0, 4, Status::ok, 4); }))) << "a part was never staged";
  EXPECT_TRUE(objects(committed([](Forge& f) {
    chunk(f, 1, "abcdef", 0, 4, Status::ok, 4);
    chunk(f, 1, "abcdef", 5, 1, Status::ok, 4);
  }))) << "a hole";
  EXPECT_TRUE(objects(committed([](Forge& f) { chunk(f, 1, "abcdef", 0, 6, Status::ok, 6, "b"); }))) << "of another key";
  EXPECT_TRUE(objects(committed([](Forge& f) {
    f.arrive(2);
    chunk(f, 2, "abcdef", 0, 6, Status::ok, 6);
    f.arrive(1);
  }))) << "of another peer";
  EXPECT_TRUE(objects([](Forge& f) {
    committed(whole)(f);
    const std::size_t asked = commit(f, 1, "abcdef", "abcdef", f.next_slot(1));
    f.reply_put(asked, f.take_put(1, "a", "abcdef"));
  })) << "a stage that was used up";
  EXPECT_TRUE(objects([](Forge& f) {
    f.arrive(1);
    f.did_put(1, "a", std::string(limits::value_size_max + 1, 'x'));
  })) << "a large value that nobody committed";
}

TEST(CheckStaged, ObjectsToAStageThatIsSaidToHoldAnotherSize) {
  const auto said = [](Status status, std::uint64_t size) {
    return objects([=](Forge& f) {
      f.arrive(1);
      chunk(f, 1, "abcdef", 0, 4, Status::ok, 4);
      chunk(f, 1, "abcdef", 4, 1, status, size);
    });
  };
  EXPECT_FALSE(said(Status::ok, 5));
  EXPECT_TRUE(said(Status::ok, 4));
  EXPECT_TRUE(said(Status::ok, 6)) << "more than was staged";
  EXPECT_FALSE(said(Status::stage_missing, 0));
  EXPECT_TRUE(said(Status::stage_missing, 4)) << "what begins there is no gap";
}

TEST(CheckStaged, ObjectsToAMissingStageThatWasThere) {
  const auto answered = [](Status status, const std::string& digest_of, const std::function<void(Forge&)>& between) {
    return objects([=](Forge& f) {
      f.arrive(1);
      whole(f);
      between(f);
      f.sync(1);  // what is said at one place of the trace has no order
      const std::size_t asked = commit(f, 1, "abcdef", digest_of, f.next_slot(1));
      if (status == Status::stage_missing) return f.reply_put(asked, 0, status);
      f.reply_put(asked, f.take_put(1, "a", "abcdef", status), status);
    });
  };
  const auto nothing = [](Forge&) {};
  EXPECT_TRUE(answered(Status::stage_missing, "abcdef", nothing));
  EXPECT_TRUE(answered(Status::digest_mismatch, "abcdef", nothing));
  EXPECT_FALSE(answered(Status::digest_mismatch, "abcdeX", nothing));
  const auto other_bytes = [](Forge& f) { chunk(f, 1, "abXdef", 2, 1, Status::stage_missing, 0); };
  EXPECT_FALSE(answered(Status::stage_missing, "abcdef", other_bytes));
}

TEST(CheckStaged, ObjectsToAnotherDigestOfWhatIsNotAllStaged) {
  const auto mismatched = [](std::size_t staged) {
    return objects([=](Forge& f) {
      f.arrive(1);
      chunk(f, 1, "abcdef", 0, staged, Status::ok, staged);
      f.sync(1);
      const std::size_t asked = commit(f, 1, "abcdef", "abcdeX", f.next_slot(1));
      f.reply_put(asked, f.take_put(1, "a", "abcdef", Status::digest_mismatch), Status::digest_mismatch);
    });
  };
  EXPECT_FALSE(mismatched(6));
  EXPECT_TRUE(mismatched(5));
}

TEST(CheckStaged, ObjectsToAPeerWithoutRoomThatHasSome) {
  const auto refused = [](const std::function<void(Forge&)>& before) {
    return objects([=](Forge& f) {
      f.context.servers[0].staging.stages_per_peer_max = 1;
      f.arrive(1);
      before(f);
      const std::string key = root + "b";
      const std::size_t asked = f.ask(1, StageRequest{8, 6, 0, as_bytes(key), 1, as_bytes("x")});
      f.reply(asked, Status::overloaded, StageResponse{0, 200});
    });
  };
  EXPECT_TRUE(refused([](Forge&) {}));
  EXPECT_FALSE(refused(whole));
  EXPECT_TRUE(refused([](Forge& f) {
    f.arrive(2);
    chunk(f, 2, "abcdef", 0, 6, Status::ok, 6);
    f.arrive(1);
  })) << "what another peer stages takes none of it";
}

}  // namespace
}  // namespace statefs::sim
