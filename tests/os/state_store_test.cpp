// The store in a file, without a daemon around it.
#include <gtest/gtest.h>

#include "core/audit.h"
#include "os/clock.h"
#include "os/state_file.h"
#include "tests/os/full_disk.h"
#include "tests/os/temp_dir.h"

namespace statefs {
namespace {

// Its disk is in the middle of writes from the store's own memory.
TEST(StateFiles, MayEndWhileTheirDiskIsAtWork) {
  const test::TempDir dir;
  StateFileOptions options;
  options.path = dir.path("state.img");
  options.size = 64u << 20;
  const std::string key = "/state/shared/a";
  for (int round = 0; round < 20; ++round) {
    auto opened = StateFile::open(options, PublicKey{});
    ASSERT_TRUE(opened.ok()) << opened.error().line;
    StateFile& state = *opened.value();
    const Bytes value(limits::total_value_size_default, static_cast<std::uint8_t>(round));
    for (int i = 0; i < 4; ++i) {
      AuditRecord record;
      record.op = static_cast<std::uint8_t>(Op::put);
      record.key = key;
      record.key_size = static_cast<std::uint32_t>(key.size());
      Effect effect;
      effect.kind = Effect::Kind::put;
      effect.key = CanonicalKey::from(as_bytes(key)).value();
      effect.value = value;
      if (!state.store().append(record, effect, {}).ok()) break;
    }
    const Now now = read_clock();
    state.store().submit(now);
    state.store().request_flush(state.store().status().last_index);
    state.store().advance(now);
    state.exchange();
    EXPECT_FALSE(state.store().status().failed);
  }
}

TEST(StateFiles, AreRefusedWhereTheirDiskFailsWhileTheyAreOpened) {
  const test::TempDir dir;
  StateFileOptions options;
  options.path = dir.path("state.img");
  options.size = 64u << 20;
  { ASSERT_TRUE(StateFile::open(options, PublicKey{}).ok()); }
  const test::FullDisk full(disk_block_size);
  const auto opened = StateFile::open(options, PublicKey{});
  ASSERT_FALSE(opened.ok());
  EXPECT_NE(opened.error().line.find("failed while it was being opened"), std::string::npos) << opened.error().line;
}

}  // namespace
}  // namespace statefs
