#include "sim/tap.h"

#include <gtest/gtest.h>

#include <map>

#include "sim/stand_in_suite.h"
#include "sim/workload.h"
#include "sim/world.h"

namespace statefs::sim {
namespace {

// One server, one client and a short workload over a network that tears.
struct TappedRun {
  explicit TappedRun(bool with_tap, std::size_t kept_size_max = 1u << 20)
      : tap(kept_size_max), world(7, faults(), with_tap ? tap.wrap(make_stand_in_suite()) : make_stand_in_suite()) {
    tap.watch(world.schedule(), world.trace());
    world.trace().keep_stream_bytes(with_tap);
    ServerProgramOptions server;
    server.policy = world.enrol({1});
    world.add_server(world.add_node(), server);
    Workload workload(world.add_node(), {});
    workload.start(world.add_client(world.node(1), 0, workload));
    finished = world.run_while_not([&] { return workload.done(); }, 1'000'000);
  }
  static Faults faults() {
    Faults faults;
    faults.stream.cuts = {1, 1, 1, 1};
    faults.cut_per_write = {1, 40};
    return faults;
  }

  Tap tap;
  World world;
  bool finished = false;
};

TEST(Tap, LeavesTheDigestAndTheNumbersOfEntriesAlone) {
  TappedRun with(true);
  TappedRun bare(false);
  ASSERT_TRUE(with.finished);
  EXPECT_FALSE(with.tap.entries().empty());
  EXPECT_FALSE(with.world.trace().wire().empty());
  EXPECT_EQ(first_difference(with.world.schedule().digest(), bare.world.schedule().digest()), std::nullopt);
  EXPECT_EQ(with.world.trace().entries().size(), bare.world.trace().entries().size());
  EXPECT_TRUE(bare.world.trace().wire().empty());
}

TEST(Tap, PairsWhatOneNodeSealedWithWhatTheOtherOpened) {
  TappedRun run(true);
  std::map<Tag, const TapEntry*> sealed;
  std::size_t pairs = 0;
  for (const TapEntry& entry : run.tap.entries()) {
    if (entry.kind == TapKind::sealed) {
      EXPECT_TRUE(sealed.emplace(entry.tag, &entry).second) << "one tag for two records";
      continue;
    }
    ASSERT_EQ(entry.kind, TapKind::opened);
    const auto found = sealed.find(entry.tag);
    ASSERT_NE(found, sealed.end());
    const TapEntry& from = *found->second;
    EXPECT_TRUE(equal(run.tap.plaintext(from), run.tap.plaintext(entry)));
    EXPECT_EQ(from.node + entry.node, 1u) << "node 0 and node 1, one each";
    EXPECT_LE(from.time, entry.time);
    EXPECT_LE(from.place, entry.place);
    EXPECT_EQ(from.nonce, entry.nonce);
    EXPECT_EQ(from.is_handshake, entry.is_handshake);
    ++pairs;
  }
  EXPECT_GT(pairs, 80u);
}

TEST(Tap, ReportsARefusedTagWithoutPlaintext) {
  Tap tap;
  RandomSource random(1);
  Schedule schedule(random);
  Trace trace(schedule);
  tap.watch(schedule, trace);
  const std::unique_ptr<Suite> suite = tap.wrap(make_stand_in_suite());
  const std::unique_ptr<Aead> aead = suite->aead(SecretKey());
  Bytes sealed(3 + limits::aead_tag_size);
  aead->seal(5, {}, as_bytes("abc"), sealed.data());
  sealed[0] ^= 1;
  Bytes out(3);
  EXPECT_FALSE(aead->open(5, {}, sealed, out.data()));
  ASSERT_EQ(tap.entries().size(), 2u);
  EXPECT_EQ(as_text(tap.plaintext(tap.entries()[0])), "abc");
  EXPECT_EQ(tap.entries()[1].kind, TapKind::refused);
  EXPECT_EQ(tap.entries()[1].tag, tap.entries()[0].tag);
  EXPECT_EQ(tap.entries()[1].plaintext_size, 0u);
  EXPECT_EQ(tap.entries()[1].node, no_node) << "nobody's event";
}

TEST(Tap, CountsWhatIsBeyondItsBoundInsteadOfKeepingIt) {
  for (const std::size_t size_max : {std::size_t{99}, std::size_t{100}, std::size_t{101}}) {
    Tap tap(size_max);
    RandomSource random(1);
    Schedule schedule(random);
    Trace trace(schedule);
    tap.watch(schedule, trace);
    const std::unique_ptr<Aead> aead = tap.wrap(make_stand_in_suite())->aead(SecretKey());
    Bytes sealed(50 + limits::aead_tag_size);
    for (std::uint64_t nonce = 0; nonce < 3; ++nonce) aead->seal(nonce, {}, Bytes(50), sealed.data());
    const std::size_t kept = size_max / 50;
    EXPECT_EQ(tap.entries().size(), kept);
    EXPECT_EQ(tap.dropped_count(), 3 - kept);
  }
}

}  // namespace
}  // namespace statefs::sim
