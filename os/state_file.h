// STATE FILE: the journal of a daemon in a file or on a block device, recovered and ready to be served.
//
//   disk_thread.h <- STATE FILE (core/journal.h) -> daemon.h
#pragma once

#include <memory>
#include <string>

#include "core/journal.h"
#include "core/policy.h"
#include "os/disk_thread.h"

namespace statefs {

inline constexpr std::uint64_t state_size_default = std::uint64_t{256} << 20;

struct StateFileOptions {
  std::string path;
  std::uint64_t size = state_size_default;  // bytes, of a file that has to be made
  Durability durability = Durability::sync;
  Quota store{limits::store_value_bytes_default, limits::store_keys_default};  // what the state may hold
  std::size_t value_size_max = limits::total_value_size_default;  // of one value, however written
};

class StateFile {
 public:
  // Recovers the store at `path`, or makes one where nothing is or the device is all zero. Whatever else is there is left as it is, and
  // the problem says what was found and where. `node` is this device's key: a store is one device's. A damaged store is opened all
  // the same, and serves nothing: each request of it is IO_ERROR.
  [[nodiscard]] static Result<std::unique_ptr<StateFile>, Problem> open(const StateFileOptions& options, const PublicKey& node);

  [[nodiscard]] Journal& store() { return journal_; }
  [[nodiscard]] bool damaged() const { return journal_.refused(); }
  // What was found, for an operator: one line; of a damaged store where the damage is, and which verb says more.
  [[nodiscard]] std::string found() const;

  // For the loop: readable when exchange() has something to report.
  [[nodiscard]] int fd() const { return disk_->fd(); }
  // Hands the disk what the store asks for, and the store what the disk has done. True where something was done: then the
  // store wants to advance, and answers may leave.
  bool exchange() { return disk_->exchange(journal_); }
  // Makes everything durable, marked and told, or returns false where the store has failed. For the end of the process.
  [[nodiscard]] bool settle(Now now);

 private:
  StateFile(StateFileOptions options, const JournalConfig& config, std::unique_ptr<DiskThread> disk)
      : options_(std::move(options)), journal_(config, disk->file().size()), disk_(std::move(disk)) {}
  [[nodiscard]] Problem refusal() const;

  StateFileOptions options_;
  Journal journal_;
  std::unique_ptr<DiskThread> disk_;  // writes from the journal's memory: it ends first
};

}  // namespace statefs
