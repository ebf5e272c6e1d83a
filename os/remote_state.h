// REMOTE STATE: the state of another device, or of this one by its local door, for a program that asks one thing at a time.
//
//   program -> REMOTE STATE -> client_stream.h -> core/client.h -> dsoftbusd
//
//   auto state = RemoteState::over_network("192.0.2.7:7070", "a0b1...", "/etc/lamp/identity");   // or at_local_door(path)
//   if (!state) complain(state.error().line);
//   auto written = state.value().put("/state/shared/lamp", "on");
//   if (written) written = state.value().sync();   // from here on no crash takes it back
//
// Each call returns by its timeout (set_timeout(), 5 s at first), the first one after it has connected, which has the same time; one
// that carries a value above 64 KiB has it for each of its pieces. A stream that breaks is opened again within the time, and whatever
// can be sent again without being done twice is. What the server puts off is asked again after the wait that it names.
//
// One thread at a time. It opens descriptors and no threads; nothing is sent between calls, so a connection that is left alone for
// long is gone, and the next call opens another. A PUT or DELETE that was answered is in the server's log and durable within about a second;
// sync() waits for that. Until then a crash of the server can take it: sync() fails then, and take_lost() names what was lost.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/client.h"
#include "core/result.h"
#include "os/client_stream.h"
#include "os/problem.h"

namespace statefs {

struct RemoteError {
  enum class Kind : std::uint8_t {
    no_connection,    // `stream` says why; nothing was sent
    refused,          // `status` says why; nothing was changed. OVERLOADED: it was put off for longer than the call had time
    timed_out,        // no answer in time; nothing was changed
    outcome_unknown,  // of put() and erase(): it was sent, and may or may not have been done. outcome(*question) may tell, also later
    writes_lost,      // of sync(): take_lost() names what the server no longer has
  };
  Kind kind = Kind::timed_out;
  Status status = Status::ok;
  StreamFailure stream = StreamFailure::timed_out;
  std::optional<OutcomeRequest> question{};
  [[nodiscard]] std::string text() const;  // for people, one line
};

struct RemoteWrite {
  std::uint64_t revision = 0;  // of put(): what the key now has
  std::uint64_t index = 0;     // of the audit record
};
struct RemoteValue {
  std::string bytes;
  std::uint64_t revision = 0;
};
struct RemoteEntry {
  std::string key;
  std::uint64_t size = 0;
  std::uint64_t revision = 0;
};
struct RemotePage {
  std::vector<RemoteEntry> entries;
  bool has_more = false;  // go on with the last key as `after`
};
struct RemoteLoss {
  std::string key;          // empty where it is no longer known
  std::uint64_t index = 0;  // as the write was answered
  bool certain = true;      // false: the server cannot tell any more
};

class RemoteState {
 public:
  // `endpoint` is ADDRESS:PORT, literal; `server_key` 64 hexadecimal digits; `identity_file` as `statefs keygen` makes it. Nothing is
  // connected yet. The problem is one of the arguments.
  [[nodiscard]] static Result<RemoteState, Problem> over_network(std::string_view endpoint, std::string_view server_key,
                                                                 const std::string& identity_file);
  [[nodiscard]] static Result<RemoteState, Problem> at_local_door(std::string_view path);

  void set_timeout(Duration timeout) { stream_->set_timeout(timeout); }  // more than 0
  // Only connects: says whether there is a server that lets this program in.
  [[nodiscard]] Result<HelloResponse, RemoteError> connect();

  // `expected_revision`: only where the key has that one; 0: only where it does not exist. Else REVISION_CONFLICT.
  [[nodiscard]] Result<RemoteWrite, RemoteError> put(std::string_view key, std::string_view value,
                                                     std::optional<std::uint64_t> expected_revision = std::nullopt);
  [[nodiscard]] Result<RemoteWrite, RemoteError> erase(std::string_view key, std::optional<std::uint64_t> expected_revision = std::nullopt);
  [[nodiscard]] Result<RemoteValue, RemoteError> get(std::string_view key);
  // A page of the keys under `prefix`, which ends in '/', behind the key `after`; at most 256 entries, and at most `limit` unless that is 0.
  [[nodiscard]] Result<RemotePage, RemoteError> list(std::string_view prefix, std::string_view after = {}, std::uint16_t limit = 0);
  // Everything that was answered to this object is durable when it returns. It fails where some of that was lost, until take_lost()
  // has told all of it.
  [[nodiscard]] Result<Unit, RemoteError> sync();
  // What became of a put() or erase() of unknown outcome. APPLIED, REFUSED and NEVER are final.
  [[nodiscard]] Result<OutcomeResponse, RemoteError> outcome(const OutcomeRequest& question);

  // Writes that were answered and that the server no longer has. They are never sent again by themselves. They are kept until they are
  // taken: with twice limits::client_unsynced_max of them put() and erase() wait in vain until their time is over.
  [[nodiscard]] std::optional<RemoteLoss> take_lost();
  // The server no longer has what it had called durable: an older copy of its disk, say. Reported once for each time.
  [[nodiscard]] std::optional<Rollback> take_rollback() { return stream_->client().take_rollback(); }

 private:
  RemoteState(std::unique_ptr<Suite> suite, std::unique_ptr<ClientStream> stream) : suite_(std::move(suite)), stream_(std::move(stream)) {}
  [[nodiscard]] static Result<RemoteState, Problem> make(std::unique_ptr<Suite> suite, std::shared_ptr<const DhKey> identity,
                                                         const PublicKey& server, const Endpoint& endpoint);
  // The answer of that kind where it is OK.
  template <typename Answer>
  [[nodiscard]] Result<Answer, RemoteError> ask(const RequestBody& request, Completion& completion);
  [[nodiscard]] Result<RemoteWrite, RemoteError> write(const RequestBody& request, std::string_view key);
  [[nodiscard]] Result<RemoteWrite, RemoteError> put_large(std::string_view key, std::string_view value,
                                                           std::optional<std::uint64_t> expected_revision);
  [[nodiscard]] RemoteWrite remember(const MutationResponse& answer, std::string_view key);
  void collect_lost();

  std::unique_ptr<Suite> suite_;                // before what uses it
  std::unique_ptr<ClientStream> stream_;
  std::map<std::uint64_t, std::string> keys_;   // of writes not known durable, by index; at most limits::client_unsynced_max
  std::vector<RemoteLoss> lost_;                // not taken yet; at most limits::client_unsynced_max
};

}  // namespace statefs
