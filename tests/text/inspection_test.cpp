#include "os/text/inspection_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "os/text/dump_text.h"
#include "tests/core/left_store.h"

namespace statefs::test {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

Inspection inspection_of(const Bytes& image) {
  return inspect(image.size(), [&image](const DiskRequest& request, ByteView& bytes) {
    EXPECT_EQ(request.kind, DiskRequest::Kind::read);
    if (request.offset + request.size > image.size()) return false;
    bytes = ByteView(image).subspan(request.offset, request.size);
    return true;
  });
}

std::string dump_of(const Inspection& inspection, bool json) {
  std::string out;
  const PrintPiece print = [&out](std::string_view piece) {
    out += piece;
    return true;
  };
  EXPECT_TRUE(json ? dump_json(inspection.all, print) : dump_text(inspection.all, print));
  return out;
}

// Nothing is lost without being told: the whole state up to the last record, or a verdict with a place. Every rendering is made.
void expect_told(const Left& left, const Bytes& image, const std::string& what) {
  const Inspection found = inspection_of(image);
  const std::string text = check_text(found, "x");
  const std::string json = check_json(found);
  ASSERT_THAT(text, StartsWith("x: " + std::string(verdict_of(found)) + "\n")) << what;
  ASSERT_EQ(json.back(), '\n');
  (void)dump_of(found, true);
  if (!found.whole()) {
    ASSERT_NE(finding_of(found), "") << what;
    ASSERT_THAT(text, HasSubstr("safe to read: ")) << what;
    return;
  }
  ASSERT_EQ(found.all.report.last, left.last) << what;
  ASSERT_EQ(found.all.store.state.slots, left.contents.slots) << what;
  ASSERT_EQ(found.all.store.state.entries.map().size(), left.contents.entries.size()) << what;
}

TEST(Inspection, OfAStoreThatWasLeftInOrderFindsItWhole) {
  const Left left;
  const Inspection found = inspection_of(left.image);
  EXPECT_TRUE(found.whole());
  EXPECT_EQ(finding_of(found), "");
  expect_told(left, left.image, "untouched");
  const std::string text = check_text(found, "img");
  EXPECT_THAT(text, StartsWith("img: whole\n"));
  EXPECT_THAT(text, HasSubstr("durable up to " + std::to_string(left.last.index)));
  const std::string dump = dump_of(found, false);
  for (const auto& [key, value] : left.contents.entries) {
    EXPECT_THAT(
        dump, HasSubstr("revision " + std::to_string(value.second) + " size " + std::to_string(value.first.size()) + " writer "));
    EXPECT_THAT(dump, HasSubstr(" " + key + "\n"));
  }
  EXPECT_EQ(dump_of(found, true).find("\"keys\":[]"), std::string::npos);
}

TEST(Inspection, TellsOfEveryByteThatWasChanged) {
  const Left left;
  Bytes image = left.image;
  std::size_t damaged = 0;
  for (std::size_t at = 0; at < image.size(); ++at) {
    // Every byte that means something in the head, some of the others that do, and some of those that do not.
    const bool in_head = at < Extent::head_size;
    const bool used = image[at] != 0 || (in_head && at % disk_block_size < 256);
    if (used ? !in_head && at % 29 != 0 : at % 2039 != 0) continue;
    image[at] = static_cast<std::uint8_t>(image[at] ^ (1u << (at % 8)));
    expect_told(left, image, "byte " + std::to_string(at));
    if (HasFatalFailure()) return;
    damaged += inspection_of(image).whole() ? 0 : 1;
    image[at] = left.image[at];
  }
  EXPECT_GT(damaged, 100u);
}

TEST(Inspection, TellsOfEveryTruncation) {
  const Left left;
  for (std::size_t size = 0; size < left.image.size(); size += 509) {
    const Bytes image(left.image.begin(), left.image.begin() + static_cast<std::ptrdiff_t>(size));
    expect_told(left, image, "size " + std::to_string(size));
    ASSERT_FALSE(inspection_of(image).whole()) << size;
  }
  const Inspection none = inspection_of({});
  EXPECT_EQ(verdict_of(none), "no store");
  EXPECT_EQ(finding_of(inspection_of(Bytes(100))), "no store: it has 100 bytes, fewer than the head of one");
  EXPECT_EQ(verdict_of(inspection_of(Bytes(small_extent))), "empty");
  EXPECT_EQ(verdict_of(inspection_of(Bytes(Extent::head_size))), "empty");
  EXPECT_EQ(verdict_of(inspection_of(Bytes(small_extent, 1))), "no store");
}

TEST(Inspection, TellsOfSectorsThatChangedPlaces) {
  const Left left;
  const std::size_t count = left.image.size() / disk_sector_size;
  for (std::size_t one = 0; one < count; one += 7) {
    for (std::size_t other = one + 1; other < count; other += 13) {
      Bytes image = left.image;
      const auto at = [&image](std::size_t sector) {
        return image.begin() + static_cast<std::ptrdiff_t>(sector * disk_sector_size);
      };
      if (std::equal(at(one), at(one + 1), at(other))) continue;
      std::swap_ranges(at(one), at(one + 1), at(other));
      expect_told(left, image, std::to_string(one) + " and " + std::to_string(other));
      if (HasFatalFailure()) return;
    }
  }
}

TEST(Inspection, TellsOfHeadBlocksOfAnotherStoreOrAnOlderOne) {
  const Left left;
  const Left other(0x66);
  for (const Bytes* const from : {&left.earlier, &other.image}) {
    for (unsigned blocks = 1; blocks < 15; ++blocks) {
      if (from == &left.earlier && (blocks & 9) == 9 && (blocks & 6) == 6) continue;  // the whole head: an older copy, see below
      Bytes image = left.image;
      for (std::size_t block = 0; block < 4; ++block) {
        if ((blocks >> block & 1) == 0) continue;
        const auto begin = static_cast<std::ptrdiff_t>(block * disk_block_size);
        std::copy(from->begin() + begin, from->begin() + begin + disk_block_size, image.begin() + begin);
      }
      expect_told(left, image, "blocks " + std::to_string(blocks));
      if (HasFatalFailure()) return;
    }
  }
}

// An older copy is a whole store: only who was told a later head can know. The chain shows it to them (audit verify --head).
TEST(Inspection, TakesAnOlderCopyForWhatItIs) {
  const Left left;
  const Inspection found = inspection_of(left.earlier);
  EXPECT_TRUE(found.whole());
  EXPECT_LT(found.all.report.last.index, left.last.index);
}

TEST(Inspection, SaysWhereTheDamageIsAndWhatIsSafe) {
  const Left left;
  const Superblock superblock = decode_superblock(ByteView(left.image).first(disk_block_size)).value();
  Bytes image = left.image;
  const std::uint64_t record = superblock.extent.log_offset(superblock.start.position);
  image[record + 20] ^= 1;
  Inspection found = inspection_of(image);
  EXPECT_THAT(finding_of(found), HasSubstr("at byte " + std::to_string(record)));
  EXPECT_THAT(finding_of(found), HasSubstr("the record after " + std::to_string(superblock.start.head.index) + " is not whole"));
  EXPECT_THAT(check_text(found, "x"),
              HasSubstr("safe to read: the state as it was after record " + std::to_string(superblock.start.head.index)));

  image = left.image;
  const std::uint64_t slot = superblock.extent.slot_offset(superblock.snapshot.slot);
  image[slot + 100] ^= 1;
  found = inspection_of(image);
  EXPECT_THAT(finding_of(found), HasSubstr("damaged in the snapshot, at byte " + std::to_string(slot)));
  ASSERT_TRUE(found.log.has_value());
  EXPECT_EQ(found.log->last, left.last) << "the log is whole, and its records are safe";

  image = left.image;
  image[Extent::mark_offset(0) + 9] ^= 1;
  image[Extent::mark_offset(1) + 9] ^= 1;
  found = inspection_of(image);
  EXPECT_THAT(finding_of(found), HasSubstr("damaged in the marks"));
  EXPECT_EQ(found.log->last, left.last);
  EXPECT_THAT(check_text(found, "x"), HasSubstr("nothing says whether there were more"));

  image = left.image;
  image[Extent::superblock_offset(1) + 9] ^= 1;
  found = inspection_of(image);
  EXPECT_TRUE(found.whole());
  EXPECT_THAT(check_text(found, "x"), HasSubstr("superblock 1 at byte 12288: damaged: the other is whole"));
}

// What was being written when the machine stopped is cut, and told; nothing is wrong with the store.
TEST(Inspection, TakesATornTailForCleanAndSaysWhatWasCut) {
  DiskModel disk(small_extent);
  const auto journal = open(disk, small_config(), at_second(0));
  Workload workload(1);
  for (int i = 0; i < 5; ++i) (void)workload.step(*journal);
  journal->submit(at_second(1));
  settle(*journal, disk, at_second(1));
  const AuditHead before = journal->status().durable_head;
  for (int i = 0; i < 10; ++i) (void)workload.step(*journal);
  std::size_t torn_count = 0;
  const Bytes whole = [&] {
    journal->submit(at_second(2));
    while (journal->status().durable_head == before) EXPECT_TRUE(disk.serve_one(*journal));
    return disk.durable();
  }();
  const std::uint64_t ring = journal->extent().ring_offset();
  for (std::size_t at = ring; at < ring + 8 * disk_sector_size; at += disk_sector_size) {
    Bytes image = whole;
    std::fill_n(image.begin() + static_cast<std::ptrdiff_t>(at), disk_sector_size, std::uint8_t{0});
    const Inspection found = inspection_of(image);
    if (!found.whole() || found.all.report.cut_size == 0) continue;
    EXPECT_THAT(finding_of(found), StartsWith("cut at byte "));
    ++torn_count;
  }
  EXPECT_GT(torn_count, 0u);
}

TEST(Inspection, ReportsABlockThatCannotBeRead) {
  const Left left;
  const Inspection found = inspect(left.image.size(), [&left](const DiskRequest& request, ByteView& bytes) {
    if (request.offset >= Extent::head_size) return false;
    bytes = ByteView(left.image).subspan(request.offset, request.size);
    return true;
  });
  EXPECT_EQ(verdict_of(found), "unreadable");
  EXPECT_THAT(finding_of(found), StartsWith("cannot be read, at byte "));
}

}  // namespace
}  // namespace statefs::test
