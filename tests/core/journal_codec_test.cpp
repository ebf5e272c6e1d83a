#include <gtest/gtest.h>

#include "core/export_queue.h"
#include "core/extent.h"
#include "core/log_tail.h"
#include "core/snapshot.h"
#include "core/superblock.h"
#include "tests/core/audit_samples.h"
#include "tests/core/journal_run.h"

namespace statefs::test {
namespace {

Bytes encoded(const LogRecord& record) {
  BlockBuffer out(64 * 1024);
  append_log_record(record, out);
  return {out.bytes().begin(), out.bytes().end()};
}

// One record with each change and each effect.
std::vector<Bytes> record_samples() {
  Bytes audit;
  encode_audit(sample_mutation(), audit);
  const Bytes value(300, 0x5a);
  std::vector<Bytes> out;
  for (std::uint8_t kind = 0; kind <= static_cast<std::uint8_t>(SlotChange::Kind::evict); ++kind) {
    for (std::uint8_t effect = 0; effect <= 2; ++effect) {
      LogRecord record;
      record.audit = audit;
      record.effect = static_cast<Effect::Kind>(effect);
      if (record.effect == Effect::Kind::put) record.value = value;
      record.change.kind = static_cast<SlotChange::Kind>(kind);
      record.change.at = {0x0102030405060708, 9, 3, 7};
      record.change.result = {9, counted<32>(0x40), Status::not_found, 0, 77};
      record.change.instance = counted<16>(0x60);
      record.change.generation = 4;
      out.push_back(encoded(record));
    }
  }
  return out;
}

TEST(LogRecord, ComesBackFromItsBytesAndGivesThemAgain) {
  for (const Bytes& bytes : record_samples()) {
    const auto decoded = decode_log_record(bytes);
    ASSERT_TRUE(decoded.ok());
    EXPECT_EQ(decoded.value().size, bytes.size());
    EXPECT_EQ(decoded.value().audit.key, "/state/shared/lamp");
    EXPECT_EQ(encoded(decoded.value().record), bytes);
    if (decoded.value().record.change.kind == SlotChange::Kind::use) {
      EXPECT_EQ(decoded.value().record.change.result, (Slot{9, counted<32>(0x40), Status::not_found, 0, 77}));
    }
  }
}

TEST(LogRecord, IsIncompleteAtEveryTruncationAndBadWithAnyOtherByte) {
  for (const Bytes& bytes : record_samples()) {
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const auto cut = decode_log_record(ByteView(bytes).first(size));
      ASSERT_FALSE(cut.ok());
      ASSERT_EQ(cut.error(), LogRecordError::incomplete) << size;
    }
    Bytes changed = bytes;
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      changed[at] ^= 0x10;
      ASSERT_FALSE(decode_log_record(changed).ok()) << at;
      changed[at] ^= 0x10;
    }
  }
  EXPECT_EQ(decode_log_record(Bytes(100)).error(), LogRecordError::bad) << "zeros are no record";
}

Superblock sample_superblock() {
  Superblock out;
  out.store = counted<16>(1);
  out.node.bytes = counted<32>(2);
  out.extent = {8 * disk_block_size, 4 * disk_block_size};
  out.sequence = 5;
  out.snapshot = {1, 0x11223344, 2 * disk_block_size, 3};
  out.start = {{first_index_of(1) + 9, counted<32>(3)}, 5'000};
  out.end_index = first_index_of(1) + 11;
  return out;
}
Mark sample_mark() {
  Mark out;
  out.store = counted<16>(1);
  out.sequence = 9;
  out.epoch = 1;
  out.durable = {{first_index_of(1) + 9, counted<32>(3)}, 5'000};
  out.exported = {{first_index_of(1) + 2, counted<32>(4)}, 1'000};
  return out;
}

TEST(Superblock, AndMarkComeBackFromTheirBlocksAndFromNoOther) {
  BlockBuffer block(disk_block_size);
  append_superblock(sample_superblock(), block);
  Bytes bytes(block.bytes().begin(), block.bytes().end());
  ASSERT_EQ(bytes.size(), disk_block_size);
  EXPECT_EQ(decode_superblock(bytes).value(), sample_superblock());
  EXPECT_EQ(decode_mark(bytes).error(), HeadError::damaged);
  block.clear();
  append_mark(sample_mark(), block);
  Bytes mark(block.bytes().begin(), block.bytes().end());
  EXPECT_EQ(decode_mark(mark).value(), sample_mark());
  EXPECT_EQ(decode_superblock(mark).error(), HeadError::damaged);
  EXPECT_EQ(decode_superblock(Bytes(disk_block_size)).error(), HeadError::absent);
  EXPECT_EQ(decode_mark(Bytes(disk_block_size)).error(), HeadError::absent);
  for (std::size_t at = 0; at < disk_block_size; ++at) {
    bytes[at] ^= 0x20;
    mark[at] ^= 0x20;
    ASSERT_FALSE(decode_superblock(bytes).ok()) << at;
    ASSERT_FALSE(decode_mark(mark).ok()) << at;
    bytes[at] ^= 0x20;
    mark[at] ^= 0x20;
  }
}

// A table with shelves, epochs and entries, and its snapshot in chunks of `chunk_size`.
State sample_state() {
  State state;
  state.epochs.begin(1, 7, {});
  state.epochs.begin(2, 8, {first_index_of(1) + 4, counted<32>(1)});
  for (std::uint8_t who = 1; who <= 3; ++who) {
    SlotChange open;
    open.kind = SlotChange::Kind::open;
    open.instance.fill(who);
    open.generation = who;
    state.slots.apply(owner_of(peer(who)), open, first_index_of(1) + who);
    SlotChange use;
    use.kind = SlotChange::Kind::use;
    use.at = {first_index_of(1) + who, 1, who, 2};
    use.result.sequence = 1;
    state.slots.apply(owner_of(peer(who)), use, first_index_of(1) + 10 + who);
  }
  for (std::uint64_t i = 0; i < 40; ++i) {
    const Bytes value(i * 7, static_cast<std::uint8_t>(i));
    state.entries.restore("/state/shared/key" + std::to_string(i), value, owner_of(peer(1)), first_index_of(2) + i);
  }
  return state;
}
Bytes snapshot_of(const State& state, std::uint64_t index, std::size_t chunk_size, std::size_t visits_max) {
  SnapshotWriter writer(3, index, chunk_size);
  BlockBuffer chunk(chunk_size_max(chunk_size, 300));
  Bytes out;
  while (!writer.done()) {
    if (!writer.step(state, first_index_of(2) + 50, chunk, visits_max)) continue;
    EXPECT_EQ(chunk.size() % disk_block_size, 0u);
    out.insert(out.end(), chunk.bytes().begin(), chunk.bytes().end());
  }
  EXPECT_EQ(out.size(), writer.size());
  return out;
}
bool read(ByteView image, SnapshotReader& reader) {
  while (!reader.done()) {
    const auto taken = reader.take(image);
    if (!taken.ok()) return false;
    image = image.subspan(taken.value());
  }
  return image.empty();
}

TEST(Snapshot, OfEveryChunkSizeAndStepIsReadBackAsItWas) {
  const State state = sample_state();
  for (const std::size_t chunk_size : {1u, 500u, 4'000u, 100'000u}) {
    for (const std::size_t visits_max : {1u, 7u, 1'000u}) {
      const Bytes image = snapshot_of(state, first_index_of(2) + 50, chunk_size, visits_max);
      SnapshotReader reader(3, first_index_of(2) + 50);
      ASSERT_TRUE(read(image, reader)) << chunk_size << ' ' << visits_max;
      EXPECT_EQ(reader.state().slots, state.slots);
      EXPECT_EQ(reader.state().epochs, state.epochs);
      EXPECT_EQ(reader.state().entries.footprint(), state.entries.footprint());
      EXPECT_EQ(reader.entry_count(), 40u);
      EXPECT_TRUE(reader.state().shelves_as_of.empty());
    }
  }
}

TEST(Snapshot, LeavesToTheLogWhatIsNewerThanItsIndex) {
  const State state = sample_state();
  const std::uint64_t index = first_index_of(2) + 9;
  SnapshotReader reader(3, index);
  ASSERT_TRUE(read(snapshot_of(state, index, 4'000, 5), reader));
  EXPECT_EQ(reader.entry_count(), 10u);
  EXPECT_EQ(reader.state().shelves_as_of.size(), 3u);
  EXPECT_EQ(reader.state().shelves_as_of.begin()->second, first_index_of(2) + 50);
}

TEST(Snapshot, IsBadWithAnyOtherByteOrChunk) {
  const State state = sample_state();
  const Bytes image = snapshot_of(state, first_index_of(2) + 50, 2'000, 1'000);
  ASSERT_GE(image.size(), 3 * disk_block_size);
  Bytes changed = image;
  for (std::size_t at = 0; at < image.size(); at += 7) {
    changed[at] ^= 0x04;
    SnapshotReader reader(3, first_index_of(2) + 50);
    ASSERT_FALSE(read(changed, reader)) << at;
    changed[at] ^= 0x04;
  }
  SnapshotReader second_first(3, first_index_of(2) + 50);
  EXPECT_FALSE(read(ByteView(image).subspan(disk_block_size), second_first));
  SnapshotReader other_sequence(4, first_index_of(2) + 50);
  EXPECT_FALSE(read(image, other_sequence));
}

TEST(Extent, HoldsEveryPartInOrderAndRefusesWhatDoesNotFit) {
  const JournalLimits small = small_limits();
  std::uint64_t least = disk_block_size;
  while (!Extent::plan(least, small).ok()) least += disk_block_size;
  EXPECT_LE(least, small_extent);
  for (std::uint64_t size = least; size < least + 64 * disk_block_size; size += disk_block_size) {
    const auto plan = Extent::plan(size, small);
    ASSERT_TRUE(plan.ok()) << size;
    const Extent extent = plan.value();
    EXPECT_LE(extent.size(), size);
    EXPECT_EQ(extent.slot_offset(0), Extent::head_size);
    EXPECT_EQ(extent.slot_offset(1), Extent::head_size + extent.slot_size);
    EXPECT_EQ(extent.ring_offset(), Extent::head_size + 2 * extent.slot_size);
    EXPECT_EQ(extent.log_offset(extent.ring_size + 5), extent.ring_offset() + 5);
    EXPECT_TRUE(extent.admits(small).ok());
    EXPECT_GT(extent.entries_footprint_max(small), small.value_size_max);
  }
  JournalLimits more = small;
  more.replay_bytes_max *= 100;
  EXPECT_EQ(Extent::plan(small_extent, more).error(), ExtentError::too_small);
  JournalLimits wrong = small;
  wrong.pending_size = record_size_max(small);
  EXPECT_EQ(Extent::plan(small_extent, wrong).error(), ExtentError::limits);
  EXPECT_TRUE(Extent::plan(256u << 20, JournalLimits{}).ok());
  JournalLimits million;
  million.keys_max = 1'000'000;
  EXPECT_EQ(Extent::plan(256u << 20, million).error(), ExtentError::too_small);
}

TEST(LogTail, WritesWholeBlocksAndAgainTheOneThatIsPartlyFull) {
  const Extent extent{8 * disk_block_size, 4 * disk_block_size};
  const std::uint64_t begin = 4 * disk_block_size - 100;  // near the end of the ring
  const Bytes partial(disk_block_size - 100, 0xaa);
  LogTail tail(extent, 16 * 1024, begin, partial);
  tail.filling().append(Bytes(150, 0xbb));
  const std::uint64_t submitted = tail.position();
  tail.filling().append(Bytes(10, 0xcc));
  const auto pieces = tail.take(submitted);
  ASSERT_EQ(pieces[0].bytes.size(), disk_block_size);
  EXPECT_EQ(pieces[0].offset, extent.ring_offset() + 3 * disk_block_size);
  EXPECT_EQ(pieces[0].bytes[0], 0xaa);
  EXPECT_EQ(pieces[0].bytes[disk_block_size - 1], 0xbb);
  ASSERT_EQ(pieces[1].bytes.size(), disk_block_size);
  EXPECT_EQ(pieces[1].offset, extent.ring_offset());
  EXPECT_EQ(pieces[1].bytes[49], 0xbb);
  EXPECT_EQ(pieces[1].bytes[50], 0) << "what was not submitted is not written";
  EXPECT_EQ(tail.position(), submitted + 10);
  const auto next = tail.take(tail.position());
  EXPECT_EQ(next[0].offset, extent.ring_offset());
  EXPECT_EQ(next[0].bytes[49], 0xbb);
  EXPECT_EQ(next[0].bytes[59], 0xcc);
  EXPECT_TRUE(next[1].bytes.empty());
}

TEST(ExportQueue, HoldsWhatALogHeldWhateverItsCapacityAndTakesNoMoreUntilThatIsExported) {
  struct Sink final : AuditSink {
    bool take(std::uint64_t index, ByteView encoded, const Digest&) override {
      EXPECT_EQ(encoded.size(), 100u);
      last = index;
      return true;
    }
    std::uint64_t last = 0;
  } sink;
  ExportQueue queue(1'000, {{4, {}}, 1'000});
  const Bytes encoded(100, 7);
  std::uint64_t index = 5;
  for (; index < 105; ++index) queue.restore({index, {}}, 200, encoded);
  EXPECT_EQ(queue.free_size(), 0u);
  EXPECT_FALSE(queue.push({index, {}}, 200, encoded));
  EXPECT_EQ(queue.export_to(sink, 200, 95), 95u);
  EXPECT_TRUE(queue.push({index, {}}, 200, encoded));
  EXPECT_EQ(queue.export_to(sink, 200, 1'000), 6u);
  EXPECT_EQ(sink.last, index);
  EXPECT_EQ(queue.free_size(), 1'000u);
  EXPECT_EQ(queue.cursor().position, 1'000u + 101 * 200);
}

TEST(ExportQueue, KnowsWhereInTheLogItsCursorIs) {
  ExportQueue queue(4'096, {{4, {}}, 1'000});
  const Bytes audit = [] {
    Bytes out;
    AuditRecord record = sample_mutation();
    record.index = 5;
    encode_audit(record, out);
    return out;
  }();
  ASSERT_TRUE(queue.push({5, counted<32>(5)}, 700, audit));
  Exported sink;
  EXPECT_EQ(queue.export_to(sink, 4, 10), 0u) << "only what is durable";
  EXPECT_EQ(queue.export_to(sink, 5, 10), 1u);
  EXPECT_EQ(queue.cursor(), (LogPoint{{5, counted<32>(5)}, 1'700}));
  EXPECT_EQ(queue.free_size(), queue.capacity());
}

TEST(Epochs, KeepTheLastOnesAndWhereEachEnded) {
  Epochs epochs;
  for (std::uint64_t number = 1; number <= limits::epochs_kept + 2; ++number) {
    epochs.begin(number, number * 3, {first_index_of(number) - 5, counted<32>(static_cast<std::uint8_t>(number))});
  }
  EXPECT_EQ(epochs.all().size(), limits::epochs_kept);
  EXPECT_EQ(epochs.find(2), nullptr);
  ASSERT_NE(epochs.find(3), nullptr);
  EXPECT_EQ(epochs.find(3)->random, 9u);
  EXPECT_EQ(epochs.find(3)->last.index, first_index_of(4) - 5);
  EXPECT_EQ(epochs.all().back().last, AuditHead{});
  EXPECT_FALSE(Epochs{}.restore({{2, 0, {}}, {2, 0, {}}}));
}

TEST(State, AppliesNothingAgainThatAShelfOfASnapshotHolds) {
  State state = sample_state();
  const Owner owner = owner_of(peer(1));
  const std::uint64_t session = first_index_of(1) + 1;
  const std::uint64_t as_of = first_index_of(2) + 60;
  state.snapshot_index = first_index_of(2) + 50;
  state.shelves_as_of[owner] = as_of;
  DecodedRecord decoded;
  decoded.audit = sample_mutation();
  decoded.audit.peer = peer(1);
  decoded.record.change.kind = SlotChange::Kind::use;
  decoded.record.change.at = {session, 1, 1, 2};
  decoded.record.change.result.sequence = 1;
  const SlotTable before = state.slots;
  for (const std::uint64_t index : {first_index_of(2) + 50, first_index_of(2) + 51, as_of - 1, as_of}) {
    decoded.audit.index = index;
    EXPECT_TRUE(state.replay(decoded)) << index;
    EXPECT_EQ(state.slots, before) << index;
  }
  decoded.audit.index = as_of + 1;
  EXPECT_FALSE(state.replay(decoded)) << "the sequence was used";
  decoded.record.change.at.sequence = decoded.record.change.result.sequence = 2;
  EXPECT_TRUE(state.replay(decoded));
  EXPECT_EQ(state.slots.find(owner, session)->slots[2].index, as_of + 1);
}

TEST(State, FollowsOnlyItsOwnChain) {
  const AuditHead before{first_index_of(3) + 7, counted<32>(1)};
  AuditRecord record = sample_mutation();
  record.epoch = 3;
  record.index = before.index + 1;
  record.previous = before.hash;
  EXPECT_TRUE(follows(record, before));
  record.index += 1;
  EXPECT_FALSE(follows(record, before)) << "a gap";
  record.index -= 1;
  record.previous[0] ^= 1;
  EXPECT_FALSE(follows(record, before)) << "another history";
  AuditRecord epoch = epoch_record(5, 1, before, {});
  epoch.index = first_index_of(5);
  epoch.previous = before.hash;
  EXPECT_TRUE(follows(epoch, before)) << "a gap that an epoch record names";
  epoch.old_revision -= 1;
  EXPECT_FALSE(follows(epoch, before));
  epoch = epoch_record(3, 1, before, {});
  epoch.index = first_index_of(3);
  epoch.previous = before.hash;
  EXPECT_FALSE(follows(epoch, before)) << "an epoch that was";
}

}  // namespace
}  // namespace statefs::test
