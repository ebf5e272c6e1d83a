// CHANNEL: an authenticated, encrypted byte stream over an ordinary one.
//
//   stream bytes <-> CHANNEL (Noise messages) <-> plaintext bytes -> frame.h
//
// Noise_XK_25519_ChaChaPoly_BLAKE2s (noiseprotocol.org, revision 34), prologue `dsoftbus/remote-statefs/1`, empty
// handshake payloads. Each Noise message, handshake or transport, travels as a big-endian u16 length and that many
// bytes. A transport message with an empty plaintext is a keepalive. The peer is its static key and nothing else.
//
// Invariant: after `damaged` or `exhausted` the channel is dead; nothing more is opened or sealed by it.
#pragma once

#include <memory>
#include <optional>

#include "core/bytes.h"
#include "core/crypto.h"

namespace statefs {

enum class ChannelEvent {
  need_more,         // all bytes were consumed; no message is complete
  handshake_step,    // a handshake message was accepted; an answer may wait in take_handshake_output()
  established,       // the handshake is done and peer() is known: admit the peer before feeding the next byte
  plaintext,         // one transport message was opened and appended to the caller's buffer
  keepalive,         // one empty transport message
  handshake_failed,  // a handshake message of the wrong size, a bad tag or a low-order point
  damaged,           // a transport message that does not authenticate or cannot be one (shorter than a tag)
  exhausted,         // 2^32 records were used in this direction
};

class Channel {
 public:
  // `ephemeral` is 32 fresh random bytes, never used twice. `suite` and `self` outlive the channel.
  static Channel initiator(const Suite& suite, std::shared_ptr<const DhKey> self, const PublicKey& server,
                           const SecretKey& ephemeral);
  static Channel responder(const Suite& suite, std::shared_ptr<const DhKey> self, const SecretKey& ephemeral);
  Channel(Channel&&) noexcept;
  Channel& operator=(Channel&&) noexcept;
  ~Channel();

  // Takes bytes from the front of `bytes` (which shrinks) until one message is complete or none are left. An
  // incomplete message is kept inside, 65,537 bytes at most. Plaintext is appended to `plaintext`.
  [[nodiscard]] ChannelEvent receive(ByteView& bytes, Bytes& plaintext);

  // Handshake bytes to send now, length prefix included; empty where there are none. The initiator has message 1
  // from the start.
  [[nodiscard]] Bytes take_handshake_output();

  // Appends the records that carry `plaintext`, as few as can be, to `out`. False, and nothing appended, where the
  // nonces do not suffice: the connection must end. Only when established.
  [[nodiscard]] bool seal(ByteView plaintext, Bytes& out);
  [[nodiscard]] bool seal_keepalive(Bytes& out);

  [[nodiscard]] bool established() const;
  [[nodiscard]] const PublicKey& peer() const;           // only when established
  [[nodiscard]] const Digest& handshake_hash() const;    // only when established
  [[nodiscard]] bool mid_message() const;                // part of a message is held
  [[nodiscard]] std::size_t buffered_size() const;       // bytes held, for the memory bound

 private:
  struct State;
  explicit Channel(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace statefs
