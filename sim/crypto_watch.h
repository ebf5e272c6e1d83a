// CRYPTO WATCH: at the seam of core/crypto.h, whether ciphers are used as they must be, and what was said through them.
//
//   Suite <- CRYPTO WATCH (each seal and open) -> episode.h: the check `nonces`; connections -> conversation.h
//
// It is part of every run. Of each cipher it holds: nonces ascend by one, so none is used twice under one key; and once a record
// did not authenticate nothing more is opened with that cipher, and nothing sealed with that of the other direction, because their
// connection is over. What is opened is what the other end sealed under that key and nonce, byte for byte. It draws nothing and
// leaves no entry in the trace, so the digest knows nothing of it.
//
// A peer is known by what the third message of a handshake says: a sealed static key is the only plaintext of a key's size there,
// and the ciphers of the two directions are the second and third that the same node makes next.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/crypto.h"
#include "sim/checks.h"
#include "sim/schedule.h"
#include "sim/spoken.h"
#include "sim/trace.h"

namespace statefs::sim {

// A handshake that a responder accepted, whether the peer was let in or not.
struct SpokenConnection {
  NodeId responder = no_node;
  PublicKey peer;                    // or, at a local door (plain_watch.h):
  std::optional<std::uint32_t> uid;
  Place made = 0;
  Time made_time;
  const SpokenLine* requests = nullptr;
  const SpokenLine* answers = nullptr;
  Place refused = no_place;  // where a record of `requests` did not authenticate
};

class CryptoWatch {
 public:
  CryptoWatch() = default;
  CryptoWatch(const CryptoWatch&) = delete;  // ciphers point at it
  CryptoWatch& operator=(const CryptoWatch&) = delete;

  // The watch outlives the suite and what it makes.
  [[nodiscard]] std::unique_ptr<Suite> wrap(std::unique_ptr<Suite> suite);
  // Before the first open that fails. Both outlive the last one.
  void watch(const Schedule& schedule, const Trace& trace);

  [[nodiscard]] const CheckResult& result() const { return result_; }
  [[nodiscard]] const std::vector<SeenRefusal>& refusals() const { return refusals_; }
  [[nodiscard]] const std::deque<SpokenConnection>& connections() const { return connections_; }

  // A lie about them: what was seen last is seen again.
  void repeat_last_use() { use(last_used_, last_used_.next_nonce - 1); }

  // What is known of one cipher. Used by the ciphers that wrap() made.
  struct Cipher {
    std::uint64_t next_nonce = 0;
    bool refused = false;
  };
  void use(Cipher& cipher, std::uint64_t nonce);
  void fail(const std::string& what);
  [[nodiscard]] SpokenLine& line_of(const SecretKey& key);  // a cipher of that key is made
  void sealed(SpokenLine& line, ByteView plaintext);
  void opened(SpokenLine& line, std::uint64_t nonce, ByteView plaintext);
  void opened_handshake(ByteView plaintext);
  void refused(SpokenLine& line, bool is_handshake);

 private:
  using Key = std::array<std::uint8_t, 32>;

  [[nodiscard]] NodeId node() const { return schedule_ == nullptr ? no_node : schedule_->working_node(); }
  [[nodiscard]] Time now() const { return schedule_ == nullptr ? Time{} : schedule_->now(); }
  [[nodiscard]] Place place() const { return trace_ == nullptr ? 0 : trace_->entries().size(); }

  const Schedule* schedule_ = nullptr;
  const Trace* trace_ = nullptr;
  CheckResult result_{"nonces", 0, {}};
  std::vector<SeenRefusal> refusals_;
  Cipher last_used_;
  std::map<Key, SpokenLine> lines_;
  std::deque<SpokenConnection> connections_;
  // A responder that has read a static key: how many ciphers it made since.
  std::optional<PublicKey> arriving_;
  NodeId arriving_at_ = no_node;
  std::vector<SpokenLine*> fresh_;
};

}  // namespace statefs::sim
