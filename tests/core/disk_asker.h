// DISK ASKER: a user of a disk that asks for what a test queues, and keeps what it is told.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <map>

#include "core/block_buffer.h"
#include "core/disk.h"

namespace statefs::test {

inline BlockBuffer block_of(std::uint8_t byte, std::size_t blocks = 1) {
  BlockBuffer out(blocks * disk_block_size);
  std::memset(out.grow(blocks * disk_block_size), byte, blocks * disk_block_size);
  return out;
}

// Asks for what a test queues and keeps what it is told.
class DiskAsker final : public DiskUser {
 public:
  std::uint64_t write(std::uint64_t block, const BlockBuffer& bytes) {
    return ask({DiskRequest::Kind::write, 0, block * disk_block_size, bytes.size(), bytes.bytes()});
  }
  std::uint64_t read(std::uint64_t block, std::size_t blocks = 1) {
    return ask({DiskRequest::Kind::read, 0, block * disk_block_size, blocks * disk_block_size, {}});
  }
  std::uint64_t flush() { return ask({}); }
  std::optional<DiskRequest> next_request() override {
    if (asked_.empty()) return std::nullopt;
    const DiskRequest request = asked_.front();
    asked_.pop_front();
    return request;
  }
  void completed(std::uint64_t id, bool ok, ByteView bytes) override {
    EXPECT_FALSE(done.contains(id)) << "told twice";
    done[id] = ok;
    read_bytes[id].assign(bytes.begin(), bytes.end());
  }
  std::map<std::uint64_t, bool> done;
  std::map<std::uint64_t, Bytes> read_bytes;

 private:
  std::uint64_t ask(DiskRequest request) {
    request.id = next_++;
    asked_.push_back(request);
    return request.id;
  }
  std::deque<DiskRequest> asked_;
  std::uint64_t next_ = 1;
};

}  // namespace statefs::test
