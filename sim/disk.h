// DISK: the disk of one machine: what of it is durable, what a crash may take, and what goes wrong with disks.
//
//   core/disk.h requests -> DISK -> completions by schedule.h, each told to the owner;   a crash decides what stays
//
// Reads give what was written last, flushed or not. What no flush has covered a crash may keep, lose or tear by sector, in any
// combination; so may what it does to a write that was handed out and had not completed. A flush that fails makes nothing durable,
// and what it should have covered is read as before until power is lost, as Linux does it. Requests take times that are drawn,
// so they complete in any order that core/disk.h allows.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/disk.h"
#include "sim/random.h"
#include "sim/schedule.h"

namespace statefs::sim {

struct DiskOptions {
  std::uint64_t size = 0;  // bytes, whole blocks
  Duration request_time;   // of a read or write, drawn from 0 to this
  Duration flush_time;     // drawn from 0 to this, on top
  Ratio read_error, write_error, flush_error;
  Ratio misdirected;       // a write that goes elsewhere, and completes as if it had not
  bool forgets = true;     // what a failed flush should have covered no later one writes
};

// What a crash leaves of the writes that no flush has covered.
enum class DiskLoss : std::uint8_t {
  everything,
  nothing,
  some,    // sectors that are drawn
  one,     // everything but one sector
  missing, // one write
};

// Told after each completion: the user may have answers to give and more to ask.
class DiskOwner {
 public:
  virtual ~DiskOwner() = default;
  virtual void disk_completed() = 0;
  // A request is about to complete in another way than it should, or to say that it did.
  virtual void disk_failed(DiskRequest::Kind) {}
  virtual void disk_misdirected() {}
};

class Disk final : public Handler {
 public:
  // All of it outlives the disk; `owner` is who calls serve().
  Disk(Schedule& schedule, RandomStream random, NodeId node, DiskOwner& owner, const DiskOptions& options);
  ~Disk() override;

  // Takes every request that `user` has. It is the one to whom completions go until the next crash.
  void serve(DiskUser& user);
  void fire(std::uint32_t kind, std::uint64_t argument) override;

  // The user goes (it is still there), and with it what was under way, of which each sector may have been written. Where power is lost too, so is
  // what `loss` says of all that is not durable; without (a killed process) all completed writes stay, to be flushed by a later flush.
  // Where one sector is left or one write is lost, `which` says which, counted in their order, as often round as it takes.
  void crash(bool power_lost, DiskLoss loss, std::uint64_t which = 0);
  // The next request of this kind that would complete fails; the next write goes elsewhere. Each once.
  void fail_next(DiskRequest::Kind kind) { armed_[static_cast<std::size_t>(kind)] = true; }
  void misdirect_next() { misdirects_ = true; }
  void mend();  // nothing of that any more
  void set_times(Duration request_time, Duration flush_time);
  // A bit of what is durable turns over by itself.
  void rot(std::uint64_t offset, std::uint8_t bit);

  // What a reader of the disk would see now, and what a loss of power would leave at least.
  [[nodiscard]] ByteView visible() const { return visible_; }
  [[nodiscard]] ByteView durable() const { return durable_; }
  // Somebody puts another disk in: an older copy of this one, say. Only between crash and serve().
  void replace(ByteView image);

  [[nodiscard]] std::size_t out_count() const { return out_.size(); }
  [[nodiscard]] std::uint64_t request_count() const { return next_order_; }  // handed out so far
  [[nodiscard]] std::uint64_t naming_count() const { return naming_count_; }  // of those, writes to a superblock
  // What no flush had covered at the last crash: as many ways there are to keep one sector, and to lose one write.
  struct Unflushed {
    std::uint64_t writes = 0;
    std::uint64_t sectors = 0;
  };
  [[nodiscard]] const Unflushed& caught_by_crash() const { return caught_; }

 private:
  struct Out {
    std::uint64_t order = 0;  // in which they were handed out
    DiskRequest request;      // its bytes belong to the user
    bool waits = false;       // a flush, for what came before it
    EventId event = 0;
  };
  struct Write {
    std::uint64_t order = 0;
    std::uint64_t offset = 0;
    Bytes bytes;
  };
  void arm(Out& out);
  void arm_flushes();
  void complete(const Out& out);
  [[nodiscard]] bool perform(const Out& out);
  void write(const Out& out);
  [[nodiscard]] static std::uint64_t sectors_of(const std::vector<Write>& writes);
  void keep_some_sectors(const Write& write);
  void keep_one_sector(const std::vector<Write>& left, std::uint64_t which);
  void keep_all_but(const std::vector<Write>& left, std::uint64_t which);
  [[nodiscard]] bool fails(DiskRequest::Kind kind, Ratio ratio);

  Schedule& schedule_;
  RandomStream random_;
  NodeId node_;
  DiskOwner& owner_;
  DiskOptions options_;
  Bytes durable_;
  Bytes visible_;
  std::vector<Write> unflushed_;  // completed, in the order of their completion
  std::vector<Out> out_;          // not completed, in the order they were handed out
  DiskUser* user_ = nullptr;
  std::array<bool, 3> armed_{};
  bool misdirects_ = false;
  std::uint64_t next_order_ = 0;
  std::uint64_t naming_count_ = 0;
  Unflushed caught_;
};

}  // namespace statefs::sim
