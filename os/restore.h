// RESTORE: a backup of a store becomes a store of its own, with an id of its own.
//
//   a copy of an image -> RESTORE (text/inspection.h, state_file.h) -> a new image, for dsoftbusd
//
// Whoever kept a head of the store that the backup was taken of must not take the restored one for that store set back in secret: so
// it has another id, and its chain says where it comes from. The image is there whole or not at all.
#pragma once

#include <string>

#include "core/audit.h"
#include "core/result.h"
#include "os/problem.h"

namespace statefs {

struct Restored {
  StoreId from{};            // the store that the backup is of
  StoreId store{};           // the new one
  AuditHead last;            // of the backup
  std::uint64_t index = 0;   // of the record that says so
  std::uint64_t key_count = 0;
};

struct RestoreFailure {
  Problem problem;
  bool damaged = false;  // the backup is
};

// `image` must not be there. The backup is only read, and no daemon may have it.
[[nodiscard]] Result<Restored, RestoreFailure> restore_backup(const std::string& backup, const std::string& image);

}  // namespace statefs
