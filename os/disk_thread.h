// DISK THREAD: does what a journal asks of its disk while the loop goes on serving.
//
//   core/disk.h requests -> DISK THREAD (one helper thread, in their order) -> disk_file.h; completions -> the loop
//
// The only thread beside the loop's. Requests are done one after the other, so every flush comes after the writes before it.
// How many wait is bounded by the user, who has so many requests out at most. Completions wait until exchange(); fd() is
// readable while some do. After a write or a flush that failed nobody knows what is on the disk: what waits behind it, and whatever
// is asked later, is not written or flushed, and reported as failed. Reads go on.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "core/disk.h"
#include "os/disk_file.h"
#include "os/fd.h"

namespace statefs {

class DiskThread {
 public:
  [[nodiscard]] static Result<std::unique_ptr<DiskThread>, Problem> start(DiskFile file);
  DiskThread(const DiskThread&) = delete;
  DiskThread& operator=(const DiskThread&) = delete;
  // Returns when the request under way is done; those that wait are dropped. What they write from must live until then.
  ~DiskThread();

  // For the loop: readable while completions wait.
  [[nodiscard]] int fd() const { return event_.get(); }
  [[nodiscard]] const DiskFile& file() const { return file_; }

  // Takes every request that `user` has, and reports what was done since. True where something was reported; then the
  // user may have answers to give and more to ask, which the next call takes.
  bool exchange(DiskUser& user);
  // The same until `user` has nothing out and asks for nothing more: opening a store, and the tools.
  void run(DiskUser& user);

 private:
  struct Done {
    std::uint64_t id = 0;
    bool ok = false;
    Bytes bytes;  // read
  };
  DiskThread(DiskFile file, Fd event) : file_(std::move(file)), event_(std::move(event)) {}
  void work();
  void take_requests(DiskUser& user);

  [[nodiscard]] bool perform(const DiskRequest& request);

  DiskFile file_;        // the thread's, apart from what never changes
  bool broken_ = false;  // the thread's: a write or a flush has failed
  Fd event_;       // eventfd(2)
  std::size_t out_ = 0;
  std::vector<Done> reported_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<DiskRequest> asked_;
  std::vector<Done> done_;
  bool stopping_ = false;

  std::thread thread_;
};

}  // namespace statefs
