// DISK MODEL: a disk in memory that knows what of it is durable, and every way in which a crash may leave the rest.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/disk.h"

namespace statefs::test {

class DiskModel {
 public:
  struct Write {
    std::uint64_t offset = 0;
    Bytes bytes;
  };
  // Called with each crash that may happen now: the image that it leaves, and what was done to it.
  using Crash = std::function<void(const Bytes& image, const std::string& what)>;

  explicit DiskModel(std::size_t size) : durable_(size) {}
  explicit DiskModel(Bytes image) : durable_(std::move(image)) {}

  // Takes one request and does it; false where there is none. Writes and flushes are told to `before` first.
  bool serve_one(DiskUser& user) {
    const auto request = user.next_request();
    if (!request) return false;
    ++request_count_;
    if (before && request->kind != DiskRequest::Kind::read) before(*request);
    const bool ok = request_count_ != fail_at;
    if (!ok) {
      user.completed(request->id, false, {});
      return true;
    }
    STATEFS_CHECK(request->offset % disk_block_size == 0 && request->size % disk_block_size == 0);
    STATEFS_CHECK(request->offset + request->size <= durable_.size());
    switch (request->kind) {
      case DiskRequest::Kind::read: {
        const Bytes changed = unflushed_.empty() ? Bytes{} : kept();
        const ByteView now = unflushed_.empty() ? durable_ : changed;
        user.completed(request->id, true, now.subspan(request->offset, request->size));
        break;
      }
      case DiskRequest::Kind::write:
        STATEFS_CHECK(request->bytes.size() == request->size);
        STATEFS_CHECK(reinterpret_cast<std::uintptr_t>(request->bytes.data()) % disk_block_size == 0);
        unflushed_.push_back({request->offset, Bytes(request->bytes.begin(), request->bytes.end())});
        if (slow && slow(*request)) held_.push_back(request->id);
        else user.completed(request->id, true, {});
        break;
      case DiskRequest::Kind::flush:
        for (const std::uint64_t id : held_) user.completed(id, true, {});
        held_.clear();
        durable_ = kept();
        unflushed_.clear();
        user.completed(request->id, true, {});
        break;
    }
    return true;
  }

  [[nodiscard]] const Bytes& durable() const { return durable_; }
  [[nodiscard]] Bytes kept() const {
    Bytes image = durable_;
    for (const Write& write : unflushed_) apply(write, 0, write.bytes.size(), image);
    return image;
  }

  // All lost, all kept, each write missing, each write torn at each sector with all others kept, and with all later ones lost.
  void each_crash(const Crash& crash) const {
    crash(durable_, "all lost");
    if (unflushed_.empty()) return;
    crash(kept(), "all kept");
    for (std::size_t torn = 0; torn < unflushed_.size(); ++torn) {
      const std::size_t size = unflushed_[torn].bytes.size();
      for (std::size_t cut = 0; cut < size; cut += disk_sector_size) {
        const std::string place = std::to_string(unflushed_[torn].offset);
        const std::string what = "write " + std::to_string(torn) + " at " + place + " cut at " + std::to_string(cut);
        crash(torn_at(torn, 0, cut, true), what);
        if (cut == 0) continue;
        crash(torn_at(torn, 0, cut, false), what + ", later ones lost");
        crash(torn_at(torn, cut, size, true), what + ", only its end kept");
      }
    }
  }

  std::function<void(const DiskRequest&)> before;
  std::function<bool(const DiskRequest&)> slow;  // which writes complete only when a flush comes behind them
  std::uint64_t fail_at = 0;  // the request that fails; 0: none

  [[nodiscard]] std::uint64_t request_count() const { return request_count_; }

 private:
  static void apply(const Write& write, std::size_t from, std::size_t to, Bytes& image) {
    std::copy(write.bytes.begin() + static_cast<std::ptrdiff_t>(from), write.bytes.begin() + static_cast<std::ptrdiff_t>(to),
              image.begin() + static_cast<std::ptrdiff_t>(write.offset + from));
  }
  [[nodiscard]] Bytes torn_at(std::size_t torn, std::size_t from, std::size_t to, bool later_kept) const {
    Bytes image = durable_;
    for (std::size_t i = 0; i < unflushed_.size(); ++i) {
      if (i == torn) apply(unflushed_[i], from, to, image);
      else if (i < torn || later_kept) apply(unflushed_[i], 0, unflushed_[i].bytes.size(), image);
    }
    return image;
  }

  Bytes durable_;
  std::vector<Write> unflushed_;
  std::vector<std::uint64_t> held_;
  std::uint64_t request_count_ = 0;
};

}  // namespace statefs::test
