// PIPE: the bytes of one direction of a stream: on their way, then arrived, then read.
//
//   stream.h (write) -> PIPE -> stream.h (read)
//
// It knows no time. What was written and not read is the sender's window, wherever those bytes are.
#pragma once

#include <cstdint>

#include "core/bytes.h"

namespace statefs::sim {

class Pipe {
 public:
  void write(ByteView bytes);
  // The next `size` bytes on their way; valid until the next change.
  [[nodiscard]] ByteView next(std::size_t size) const { return ByteView(buffer_).subspan(head_ + arrived_, size); }
  // They arrive, or what an attacker made of them does.
  void arrive(std::size_t size) { arrive_changed(size, size); }
  void arrive(std::size_t size, ByteView instead);
  [[nodiscard]] ByteView read(std::size_t size);  // of what arrived; valid until the next change

  void drop_coming() { buffer_.resize(head_ + arrived_); }
  void drop_arrived();

  [[nodiscard]] std::size_t arrived_size() const { return arrived_; }               // and not read
  [[nodiscard]] std::size_t held_size() const { return buffer_.size() - head_; }    // written and not read
  [[nodiscard]] std::uint64_t written_count() const { return written_; }
  [[nodiscard]] std::uint64_t passed_count() const { return passed_; }              // of those written
  [[nodiscard]] std::uint64_t received_count() const { return received_; }          // differs where somebody tampered

 private:
  void arrive_changed(std::size_t size, std::size_t received);

  Bytes buffer_;  // [head, head + arrived) was not read, the rest is on its way
  std::size_t head_ = 0;
  std::size_t arrived_ = 0;
  std::uint64_t written_ = 0;
  std::uint64_t passed_ = 0;
  std::uint64_t received_ = 0;
};

}  // namespace statefs::sim
