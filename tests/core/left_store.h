// LEFT STORE: the small image that a journal leaves behind, and what was in it.
#pragma once

#include <gtest/gtest.h>

#include "tests/core/journal_run.h"

namespace statefs::test {

inline Now at_second(std::int64_t second) { return {Time{1 + second * 1'000'000'000}, second}; }

// A store at rest after snapshots, and the same some time before; as its daemon left them.
struct Left {
  Bytes image;
  Bytes earlier;
  AuditHead last;
  Contents contents;

  explicit Left(std::uint8_t store = 0x77) {
    JournalConfig config = small_config();
    config.fresh_store.fill(store);
    DiskModel disk(small_extent);
    const auto journal = open(disk, config, at_second(0));
    Workload workload(3);
    Exported exported;
    std::int64_t second = 0;
    const auto rest = [&] {
      for (int i = 0; i < 8 && !journal->settled(); ++i) settle(*journal, disk, at_second(second += 2));
      EXPECT_TRUE(journal->settled());
    };
    for (int i = 1; i <= 210; ++i) {
      (void)workload.step(*journal);
      journal->submit(at_second(++second));
      settle(*journal, disk, at_second(second));
      journal->export_audit(exported, 7);
      if (i != 120) continue;
      rest();
      earlier = disk.durable();
    }
    rest();
    image = disk.durable();
    last = journal->status().durable_head;
    contents = contents_of(*journal);
  }
};

}  // namespace statefs::test
