// SCRIPT: a scripted conversation, and what was observed of it, in words that do not depend on where it ran.
//
//   steps -> SCRIPT -> Driver (a simulated world, or real sockets) -> transcript, audit lines -> compared by a test
//
// A Driver carries one call at a time and waits for its completion; how it waits is its own affair. Revisions depend
// on what else a store was used for, so transcripts name them `r1`, `r2`, ... in order of first appearance; times,
// hashes and ids are left out. So one script gives one transcript and one list of audit lines wherever it runs.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/audit.h"
#include "core/client.h"
#include "core/request.h"
#include "core/response.h"

namespace statefs::sim {

// What carries a script. sim/world.h has one for a simulated client; the real-socket one lives with the os tests.
class Driver {
 public:
  virtual ~Driver() = default;
  // Submits one request and waits until it completed. `request` is only valid during the call.
  virtual Completion call(const RequestBody& request) = 0;
  // The store's epoch, from the latest HELLO answer: what a SYNC names. Waits for one where there is none yet.
  virtual std::uint64_t epoch() = 0;
  // Breaks the stream under the client; the next call finds a new one.
  virtual void break_stream() = 0;
};

enum class Verb : std::uint8_t { put, get, del, list, sync, break_stream };

// One line of a script, as values. Make it with the functions below.
struct Step {
  Verb verb = Verb::sync;
  std::string key;                             // or prefix, as bytes: need not be a legal key
  std::string value;                           // PUT: the bytes. GET: what the answer must hold, where `checks_value`
  std::string cursor;                          // LIST
  std::uint16_t limit = 0;                     // LIST
  std::uint64_t offset = 0;                    // GET
  std::uint32_t length = limits::value_size_max;  // GET
  std::optional<std::size_t> revision_of;      // conditions: the revision that the step of this index was answered
  bool if_absent = false;                      // conditions: the key must not exist
  Status expected = Status::ok;
  bool checks_value = false;
  std::optional<std::vector<std::string>> expected_keys;  // LIST: exactly these, in this order

  Step with_status(Status status) const;
  Step with_revision_of(std::size_t step) const;
  Step with_if_absent() const;
};

[[nodiscard]] Step put(std::string_view key, std::string_view value);
[[nodiscard]] Step get(std::string_view key);                              // any value
[[nodiscard]] Step get(std::string_view key, std::string_view value);      // exactly this value
[[nodiscard]] Step del(std::string_view key);
[[nodiscard]] Step list(std::string_view prefix);
[[nodiscard]] Step list(std::string_view prefix, std::vector<std::string> keys);
[[nodiscard]] Step sync();
[[nodiscard]] Step break_stream();

// Gives each revision a name in order of first appearance; 0 stays `-`.
class RevisionNames {
 public:
  std::string name(std::uint64_t revision);

 private:
  std::map<std::uint64_t, std::size_t> names_;
};

// One line of a transcript or audit: no byte of it can break the line.
[[nodiscard]] std::string describe(const Step& step, const Completion& completion, RevisionNames& names);
[[nodiscard]] std::string describe(const AuditRecord& record, RevisionNames& names);
[[nodiscard]] std::string printable(std::string_view bytes);  // escaped, long values as size and a checksum

struct ScriptRun {
  std::vector<std::string> transcript;   // one line for each step
  std::vector<std::string> surprises;    // one line for each expectation that was not met; empty: all were
};

// Runs all steps in order, whatever they answer.
[[nodiscard]] ScriptRun run_script(std::span<const Step> steps, Driver& driver);

// Every op and every refusal that a peer with the default policy can meet in one connection, and a reconnect: what the
// simulator and real sockets must answer and record alike.
[[nodiscard]] std::vector<Step> tour();

}  // namespace statefs::sim
