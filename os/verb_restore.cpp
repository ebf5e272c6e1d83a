// restore: a backup becomes a store of its own.
#include "os/hex.h"
#include "os/restore.h"
#include "os/verbs_offline.h"

namespace statefs::cli {

int run_restore(const std::string& backup, const std::string& image, Output output) {
  const auto restored = restore_backup(backup, image);
  if (!restored) return fail({restored.error().damaged ? Exit::integrity : Exit::failed, restored.error().problem.line});
  const Restored& done = restored.value();
  std::string text;
  if (output == Output::json) {
    text = "{\"from\":\"" + to_hex(done.from) + "\",\"store\":\"" + to_hex(done.store) + "\",\"keys\":" + std::to_string(done.key_count) +
           ",\"last\":{\"index\":" + std::to_string(done.last.index) + ",\"hash\":\"" + to_hex(done.last.hash) +
           "\"},\"index\":" + std::to_string(done.index) + "}\n";
  } else {
    text = "restored " + std::to_string(done.key_count) + " keys up to record " + std::to_string(done.last.index) + " of store " +
           to_hex(done.from) + "\nstore " + to_hex(done.store) + ", recorded at " + std::to_string(done.index) + "\n";
  }
  const auto failure = print(text);
  return failure ? fail(*failure) : 0;
}

}  // namespace statefs::cli
