// SELFTEST: what a device proves of a server through the client library, one check for each promise.
//
//   selftest_main.cpp (flags, markers) -> SELFTEST (selftest_checks.cpp, selftest_strangers.cpp, selftest_chunks.cpp,
//   selftest_retry.cpp, selftest_flap.cpp, selftest_persist.cpp) -> client_stream.h, client_loop.h
//
// A check returns nothing where all that its name says was done and verified, and otherwise the first thing that was not so.
// Each writes under its own keys, the same in every run, so that the audit of a run is known before it (docs/QEMU.md).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/crypto.h"
#include "core/time.h"
#include "os/client_stream.h"
#include "os/endpoint.h"

namespace statefs::selftest {

// What kind of promise was not kept; it begins the reason, and decides the exit status of scripts/qemu-test.sh.
enum class Kind : std::uint8_t { network, authentication, policy, operation, exactly_once, persistence };
[[nodiscard]] std::string_view name_of(Kind kind);

struct Failure {
  Kind kind = Kind::operation;
  std::string reason;  // one printable line
};
using Verdict = std::optional<Failure>;

struct Subject {
  const Suite& suite;
  Endpoint endpoint;
  PublicKey server;
  std::shared_ptr<const DhKey> identity;
  std::shared_ptr<const DhKey> stranger;  // that the server has not enrolled; may be null
  Duration timeout = seconds(5);          // of one call
};

inline constexpr std::string_view key_prefix = "/state/shared/selftest/";

// Waits until the server takes this device's connection: a guest may be up before the other.
[[nodiscard]] Verdict reach(const Subject& subject, Duration patience);

// PUT, GET back, LIST, SYNC, DELETE, GET refused NOT_FOUND.
[[nodiscard]] Verdict check_rw(const Subject& subject);
// Keys outside the grant, each twice: ACCESS_DENIED, and nothing else; keys that are none: INVALID_KEY.
[[nodiscard]] Verdict check_eperm(const Subject& subject);
// One byte over the limits of a value and of a key is refused and changes nothing; exactly the limit is taken.
[[nodiscard]] Verdict check_oversize(const Subject& subject);
// A key that is not enrolled, a server key that is not the server's, and bytes without a handshake get nothing.
[[nodiscard]] Verdict check_unauthenticated(const Subject& subject);
// The largest value that the server takes goes in and comes back in pieces, over streams that are cut; a byte more, another hash
// and a key outside the grant are refused.
[[nodiscard]] Verdict check_chunks(const Subject& subject);
// Streams cut before, while and after a PUT is answered: each PUT ran exactly once.
[[nodiscard]] Verdict check_retry(const Subject& subject);

// What a load saw, for the line that reports it.
struct LoadCount {
  std::uint64_t operations = 0;  // answered OK
  std::uint64_t reconnects = 0;
  std::uint64_t synced = 0;      // and then covered by a SYNC
  std::uint64_t lost = 0;        // answered OK, and reported as lost since
  std::uint64_t unknown = 0;     // of which nobody can say any more whether they ran
};
// Conditional PUTs until `is_over`, over a network that somebody else cuts: each is answered OK, none ran twice. Prints nothing.
[[nodiscard]] Verdict run_flap(const Subject& subject, const std::function<bool()>& is_over, LoadCount& count);
// Writes until the server has been cut off and is back with another epoch; then what was synced is there, and what is not
// there was reported as lost. `round` names its keys.
[[nodiscard]] Verdict run_persist_round(const Subject& subject, unsigned round, Duration patience, LoadCount& count);

}  // namespace statefs::selftest
