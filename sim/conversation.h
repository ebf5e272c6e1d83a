// CONVERSATION: what each server was asked and what it answered, request by request, whoever asked.
//
//   crypto_watch.h, plain_watch.h (plaintext of both directions) -> CONVERSATION -> history.h (exchanges, arrivals) -> checks.h
//
// A client's calls say what a user saw; an exchange says what passed between the two machines, so hostile peers, answers that
// nobody waited for and the verbs of sessions are judged as well. An answer belongs to the first request of its connection
// with its id and op that has none yet. Views point into what the watch keeps.
#pragma once

#include <vector>

#include "sim/crypto_watch.h"
#include "sim/history.h"
#include "sim/plain_watch.h"

namespace statefs::sim {

// Adds to `history`, in the order in which requests were opened, exchanges and arrivals. `keys` are by node.
void add_conversations(const CryptoWatch& ciphers, const PlainWatch& plain, const std::vector<PublicKey>& keys, History& history);

}  // namespace statefs::sim
