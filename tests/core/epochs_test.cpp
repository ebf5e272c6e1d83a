// Whether a head that a client holds is of a store's history, where its records are there and where they are gone.
#include "core/epochs.h"

#include <gtest/gtest.h>

namespace statefs {
namespace {

Digest hash_of(std::uint8_t byte) {
  Digest digest{};
  digest.fill(byte);
  return digest;
}

AuditHead at(std::uint64_t epoch, std::uint64_t offset, std::uint8_t byte) { return {first_index_of(epoch) + offset, hash_of(byte)}; }

// Epoch 3 ended after 20 records, epoch 4 after 9; 7 follows, which has 6 records that are durable.
struct History {
  History() {
    epochs.begin(3, 1, {});
    epochs.begin(4, 2, at(3, 20, 33));
    epochs.begin(7, 3, at(4, 9, 44));
    for (const AuditHead& head : {at(4, 9, 44), at(7, 0, 70), at(7, 4, 74), at(7, 6, 76)}) heads.add(head);
  }
  [[nodiscard]] HeadComparison compare(const AuditHead& head) const { return heads.compare(epochs, epoch_of(head.index), head); }
  Epochs epochs;
  Heads heads;
};

TEST(Heads, TellsWhatIsKeptFromItsHash) {
  const History history;
  EXPECT_EQ(history.compare(at(7, 4, 74)), HeadComparison::same);
  EXPECT_EQ(history.compare(at(7, 4, 75)), HeadComparison::differs);
  EXPECT_EQ(history.compare(at(7, 0, 70)), HeadComparison::same);
  EXPECT_EQ(history.compare(at(4, 9, 44)), HeadComparison::same);
}

TEST(Heads, TellsWhereAnEpochEndedWhenItsRecordsAreGone) {
  const History history;
  EXPECT_EQ(history.compare(at(3, 20, 33)), HeadComparison::same);
  EXPECT_EQ(history.compare(at(3, 20, 34)), HeadComparison::differs);
  EXPECT_EQ(history.compare(at(3, 21, 33)), HeadComparison::differs) << "it ended before that";
  EXPECT_EQ(history.compare(at(4, 10, 44)), HeadComparison::differs);
}

TEST(Heads, SaysSoWhereNothingCanTell) {
  const History history;
  EXPECT_EQ(history.compare(at(3, 19, 1)), HeadComparison::trimmed);
  EXPECT_EQ(history.compare(at(7, 3, 1)), HeadComparison::trimmed);
  EXPECT_EQ(history.compare(at(2, 5, 1)), HeadComparison::trimmed) << "older than what is kept";
  EXPECT_EQ(history.compare({}), HeadComparison::none);
}

TEST(Heads, DiffersFromWhatIsAheadOfIt) {
  const History history;
  EXPECT_EQ(history.compare(at(7, 7, 76)), HeadComparison::differs) << "not durable here";
  EXPECT_EQ(history.compare(at(8, 0, 1)), HeadComparison::differs);
  EXPECT_EQ(history.compare(at(5, 1, 1)), HeadComparison::differs) << "a number that never was an epoch";
  EXPECT_EQ(history.heads.compare(history.epochs, 8, at(7, 4, 74)), HeadComparison::differs) << "seen in an epoch that is not";
}

TEST(Heads, KeepsAsManyAsItMay) {
  Epochs epochs;
  epochs.begin(1, 1, {});
  Heads heads;
  for (std::uint64_t i = 0; i <= limits::heads_kept; ++i) heads.add(at(1, i, 5));
  EXPECT_EQ(heads.compare(epochs, 1, at(1, 0, 5)), HeadComparison::trimmed);
  EXPECT_EQ(heads.compare(epochs, 1, at(1, 1, 5)), HeadComparison::same);
  heads.add(at(1, 7, 9));
  EXPECT_EQ(heads.compare(epochs, 1, at(1, 7, 5)), HeadComparison::same) << "one that does not ascend is there already";
}

}  // namespace
}  // namespace statefs
