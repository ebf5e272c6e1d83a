// NOISE VECTORS: reads the vector files that Noise implementations exchange, into what a test replays.
//
// Both common JSON forms are read: a `messages` list, and numbered `msg_N_payload` fields. Only plain
// Noise_XK_25519_ChaChaPoly_BLAKE2s without pre-shared keys is kept. In the first form the sides take turns, past the
// handshake too, unless a message names its `sender`; in the second the initiator speaks first after the handshake.
// A file that cannot be read fails the test that asked.
#pragma once

#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/crypto.h"

namespace statefs {

struct NoiseMessage {
  bool by_initiator = false;
  Bytes payload;
  Bytes ciphertext;
};

struct NoiseVector {
  std::string name;
  Bytes prologue;
  SecretKey initiator_static;
  SecretKey initiator_ephemeral;
  SecretKey responder_static;
  SecretKey responder_ephemeral;
  Bytes handshake_hash;    // empty where the file has none
  Bytes initiator_stream;  // this project's framing; empty where the file has none
  Bytes responder_stream;
  std::vector<NoiseMessage> messages;  // the first three are the handshake
};

[[nodiscard]] bool file_exists(const std::string& path);
[[nodiscard]] std::vector<NoiseVector> read_noise_vectors(const std::string& path);

}  // namespace statefs
