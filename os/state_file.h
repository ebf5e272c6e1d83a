// STATE FILE: the journal of a daemon in a file or on a block device, recovered and ready to be served.
//
//   state_room.h, disk_thread.h <- STATE FILE (core/journal.h) -> daemon.h
#pragma once

#include <memory>
#include <string>

#include "core/journal.h"
#include "os/disk_thread.h"
#include "os/state_room.h"

namespace statefs {

class StateFile {
 public:
  // Recovers the store at `path`, or makes one where nothing is or the device is all zero. Whatever else is there is left as it is, and
  // the problem says what was found and where. `node` is this device's key: a store is one device's. A damaged store is opened all
  // the same, and serves nothing: each request of it is IO_ERROR. A file whose room is too small for what was asked for is not made.
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
