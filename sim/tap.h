// TAP: what was sealed and what was opened in a world, as plaintext, though the wire carries none.
//
//   Suite <- TAP (each seal and open, with its tag) -> story.h;  schedule.h (when, which node)
//
// It stands at the seam of core/crypto.h: a Suite around another one, whose ciphers report what they are given. A record
// ends with its tag, so a tag pairs what one node sealed with what another opened, and with the bytes between them.
// The tap keeps a log of its own and draws nothing: a run with it has the digest of the run without. It is for reports
// of one run; campaigns do without.
#pragma once

#include <memory>
#include <vector>

#include "core/crypto.h"
#include "core/limits.h"
#include "sim/schedule.h"
#include "sim/trace.h"

namespace statefs::sim {

using Tag = std::array<std::uint8_t, limits::aead_tag_size>;

enum class TapKind : std::uint8_t {
  sealed,
  opened,
  refused,  // the tag did not match; there is no plaintext
};

struct TapEntry {
  Time time;
  NodeId node = no_node;        // no_node: outside any event
  TapKind kind = TapKind::sealed;
  bool is_handshake = false;    // part of a handshake message: it has associated data, a transport record has none
  std::uint32_t cipher = 0;     // which Aead, in the order in which they were made; one direction at one end
  std::uint64_t nonce = 0;
  Tag tag{};
  std::size_t place = 0;        // how many entries the trace had
  std::size_t plaintext_at = 0;
  std::size_t plaintext_size = 0;
};

class Tap {
 public:
  explicit Tap(std::size_t kept_size_max = 256u << 20) : kept_size_max_(kept_size_max) {}
  Tap(const Tap&) = delete;  // ciphers point at it
  Tap& operator=(const Tap&) = delete;

  // The tap outlives the suite and what it makes.
  [[nodiscard]] std::unique_ptr<Suite> wrap(std::unique_ptr<Suite> suite);
  // Before the first seal. Both outlive the last one.
  void watch(const Schedule& schedule, const Trace& trace);

  [[nodiscard]] const std::vector<TapEntry>& entries() const { return entries_; }
  [[nodiscard]] ByteView plaintext(const TapEntry& entry) const {
    return ByteView(arena_).subspan(entry.plaintext_at, entry.plaintext_size);
  }
  // Seals and opens that came when `kept_size_max` bytes were kept already: they are not in the log.
  [[nodiscard]] std::uint64_t dropped_count() const { return dropped_count_; }

  // For the tap's own ciphers.
  [[nodiscard]] std::uint32_t next_cipher() { return cipher_count_++; }
  void note(TapEntry entry, ByteView plaintext, ByteView tag);

 private:
  const Schedule* schedule_ = nullptr;
  const Trace* trace_ = nullptr;
  std::size_t kept_size_max_;
  std::uint32_t cipher_count_ = 0;
  std::uint64_t dropped_count_ = 0;
  std::vector<TapEntry> entries_;
  Bytes arena_;
};

}  // namespace statefs::sim
