// CHANNEL: an authenticated, encrypted byte stream over an ordinary one.
//
//   stream bytes <-> CHANNEL (Noise messages) <-> plaintext bytes -> frame.h
//
// Noise_XK_25519_ChaChaPoly_BLAKE2s (noiseprotocol.org, revision 34), prologue `dsoftbus/remote-statefs/1`, empty
// handshake payloads. Each Noise message, handshake or transport, travels as a big-endian u16 length and that many
// bytes. A transport message with an empty plaintext is a keepalive. The peer is its static key and nothing else.
//
// The three handshake messages have one legal size each (48, 48 and 64 bytes), so a length that announces another ends
// the channel before its body is waited for; so does a transport length below 16.
//
// Invariant: after `handshake_failed`, `damaged` or `exhausted` the channel is dead: each further receive() drops its
// bytes and says the same again, and nothing is sealed. What is held of an incomplete message never exceeds what came.
#pragma once

#include <memory>
#include <optional>

#include "core/bytes.h"
#include "core/crypto.h"
#include "core/limits.h"

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
  // `ephemeral` is 32 fresh random bytes, never used twice. `suite` outlives the channel. `records_max` is of each
  // direction, and smaller only in tests. A `server` that is a low-order point makes a channel that is dead already.
  static Channel initiator(const Suite& suite, std::shared_ptr<const DhKey> self, const PublicKey& server,
                           const SecretKey& ephemeral, std::uint64_t records_max = limits::channel_records_max);
  static Channel responder(const Suite& suite, std::shared_ptr<const DhKey> self, const SecretKey& ephemeral,
                           std::uint64_t records_max = limits::channel_records_max);
  Channel(Channel&&) noexcept;
  Channel& operator=(Channel&&) noexcept;
  ~Channel();

  // Takes bytes from the front of `bytes` (which shrinks) until one message is complete or none are left. An
  // incomplete message is kept inside, 65,537 bytes at most; a whole one is opened where it lies. Plaintext is appended
  // to `plaintext`, up to 65,519 bytes a call; after a failure `plaintext` is as it was.
  [[nodiscard]] ChannelEvent receive(ByteView& bytes, Bytes& plaintext);

  // Handshake bytes to send now, length prefix included; empty where there are none. The initiator has message 1
  // from the start.
  [[nodiscard]] Bytes take_handshake_output();

  // Appends the records that carry `plaintext`, as few as can be, to `out`; none for no plaintext. False, and nothing
  // appended, where the nonces do not suffice or the channel is dead: the connection must end. Only when established.
  [[nodiscard]] bool seal(ByteView plaintext, Bytes& out);
  [[nodiscard]] bool seal_keepalive(Bytes& out);

  [[nodiscard]] bool established() const;                // the handshake was completed; stays true when dead
  [[nodiscard]] bool dead() const;
  [[nodiscard]] const PublicKey& peer() const;           // only when established
  [[nodiscard]] const Digest& handshake_hash() const;    // only when established
  [[nodiscard]] bool mid_message() const;                // part of a message is held
  [[nodiscard]] std::size_t buffered_size() const;       // bytes allocated for input and handshake output

 private:
  struct State;
  explicit Channel(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace statefs
