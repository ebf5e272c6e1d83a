// TAMPER: an attacker on the path of one direction between two nodes, and what it does with the bytes that pass.
//
//   test, plan (Tampering) -> TAMPER -> stream.h: what arrives instead
//
// It sees the streams of that direction as they pass, not what is in them. What it keeps for replay and splice is
// bounded: the first bytes of the last few streams. A tampering waits until it can be applied, which may be never.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "sim/faults.h"

namespace statefs::sim {

using StreamId = std::uint32_t;

enum class TamperKind : std::uint8_t { flip, truncate, duplicate, insert, replay, splice };
constexpr std::size_t tamper_kind_count = 6;
[[nodiscard]] std::string_view name_of(TamperKind kind);
[[nodiscard]] FaultKind fault_of(TamperKind kind);

struct Tampering {
  TamperKind kind = TamperKind::flip;
  std::uint64_t after = 0;   // so many bytes of this direction, of whichever streams, pass first
  std::uint64_t size = 1;    // bytes dropped, repeated or inserted; at least 1; a run to repeat ends with its segment
  std::uint64_t source = 0;  // replay, splice: from this place of what was kept, or that modulo its size
  std::uint64_t salt = 0;    // flip: which bit; insert: which garbage
  bool in_new_stream = false;  // `after` counts from the begin of the next stream that was not seen before
};

class Tamper {
 public:
  static constexpr std::size_t recorded_size_max = 16 * 1024;
  static constexpr std::size_t recorded_streams_max = 8;
  static constexpr std::size_t inserted_size_max = 64 * 1024;

  struct Applied {
    TamperKind kind = TamperKind::flip;
    std::size_t at = 0;  // in arriving()
  };

  // `after` counts from now.
  void add(const Tampering& tampering);
  // Whether pass() needs to be told of anything.
  [[nodiscard]] bool watches(std::size_t recorded_size) const {
    return recorded_size > 0 || !waiting_.empty() || !for_new_stream_.empty() || dropping_;
  }
  // The next bytes of a stream, of whose first `recorded_size` some are kept. True: arriving() comes in their place.
  [[nodiscard]] bool pass(StreamId stream, ByteView bytes, std::size_t recorded_size);
  [[nodiscard]] ByteView arriving() const { return arriving_; }               // until the next pass()
  [[nodiscard]] const std::vector<Applied>& applied() const { return applied_; }
  // An end of the stream is closed or broken: what was kept of it is of an earlier stream now.
  void ended(StreamId stream);
  [[nodiscard]] std::size_t waiting_count() const { return waiting_.size() + for_new_stream_.size(); }

 private:
  struct Record {
    StreamId stream = 0;
    bool live = true;
    Bytes bytes;
  };
  struct Dropping {
    StreamId stream = 0;
    std::uint64_t left = 0;
  };
  void record(StreamId stream, ByteView bytes, std::size_t recorded_size);
  [[nodiscard]] ByteView kept(StreamId stream, const Tampering& tampering) const;
  [[nodiscard]] bool drops(StreamId stream) const { return dropping_ && dropping_->stream == stream; }
  void let_pass(StreamId stream, ByteView bytes);
  // How many of `rest` are dealt with; nothing where it cannot be applied here.
  [[nodiscard]] std::optional<std::size_t> apply(StreamId stream, const Tampering& tampering, ByteView rest);

  std::vector<Tampering> waiting_;  // by place; `after` counts from the first byte ever
  std::vector<Tampering> for_new_stream_;
  StreamId newest_ = 0;             // of those seen: their numbers ascend
  std::uint64_t passed_ = 0;
  std::optional<Dropping> dropping_;
  std::vector<Record> records_;     // oldest first
  Bytes arriving_;
  std::vector<Applied> applied_;
};

}  // namespace statefs::sim
