// STAND IN SUITE: *** NO CRYPTOGRAPHY. IT PROTECTS NOTHING FROM ANYONE. *** Multiplications in the places of X25519,
// ChaCha20-Poly1305 and BLAKE2s, so that a simulated world spends its time on the system and not on ciphers.
//
//   STAND IN SUITE -> core/noise.h, core/channel.h, unchanged, instead of make_crypto_suite()
//
// It keeps what a simulation relies on. Both ends of an agreement arrive at the same secret, and another key does not;
// the sealed form has the real sizes and never equals the plaintext; a changed bit, another nonce, key or associated
// data is refused, by a keyed checksum of 128 bits; everything is a function of its input, the same on every compiler
// and machine. It lives in sim/, which no program that is shipped links, and no figure may be made with it.
#pragma once

#include <memory>

#include "core/crypto.h"

namespace statefs::sim {

[[nodiscard]] std::unique_ptr<Suite> make_stand_in_suite();

}  // namespace statefs::sim
