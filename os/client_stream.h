// CLIENT STREAM: a blocking face over the client, for programs that ask one thing at a time.
//
//   statefs verbs -> CLIENT STREAM -> client_link.h
//
// A call returns when it is answered, when its time is up, or when it is clear that the server cannot be used: nobody
// listens, the key is wrong, this device is not enrolled. A stream that breaks or is damaged after it worked is opened
// again, as long as the call has time; what the client may not send again comes back as CallResult::outcome_unknown. What the server
// puts off (OVERLOADED) was not done: it is asked again after the wait that the answer names, where the call has that long.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/client.h"
#include "core/download.h"
#include "core/upload.h"
#include "os/client_link.h"
#include "os/endpoint.h"

namespace statefs {

enum class StreamFailure {
  unreachable,   // no connection: last_end().connect_error
  not_accepted,  // the server ended the handshake: it holds another key, has no room, or is no dsoftbusd
  not_enrolled,  // the server ended the stream when it knew who we are
  wrong_server,  // what answered the handshake does not hold the key that we asked for, or was damaged
  bad_server,    // what the server said is not what the protocol allows, or was damaged
  version,       // no common version
  store_refused,  // it serves nothing of its store, which is damaged
  too_large,     // the request does not fit the encoding: nothing was sent
  timed_out,     // no connection within the deadline: nothing was sent
};

class ClientStream {
 public:
  // `suite` outlives the stream.
  ClientStream(const Suite& suite, std::shared_ptr<const DhKey> identity, const ClientConfig& config, const Endpoint& endpoint,
               Duration timeout);

  [[nodiscard]] Result<Completion, StreamFailure> call(const RequestBody& request);
  void set_timeout(Duration timeout) { timeout_ = timeout; }  // of each call from now on
  [[nodiscard]] Client& client() { return link_.client(); }   // for what is reported beside answers
  // A large value in, and any value out, in pieces. Each piece has the timeout of a call; as long as there is progress there is no
  // bound on the whole, and a stream that breaks is opened again. The result is done(); bytes said of `progress`, and of how many.
  using Progress = std::function<void(std::uint64_t done, std::uint64_t total)>;
  [[nodiscard]] Result<Upload, StreamFailure> put(UploadPlan plan, ValueSource& source, const Progress& progress);
  [[nodiscard]] Result<Download, StreamFailure> get(const std::string& key, ValueSink& sink, const Progress& progress);
  // Only connects and greets; server_hello() is there when it succeeded.
  [[nodiscard]] Result<Unit, StreamFailure> connect();
  [[nodiscard]] const std::optional<HelloResponse>& server_hello() const { return link_.client().server_hello(); }
  [[nodiscard]] std::optional<Rollback> take_rollback() { return link_.client().take_rollback(); }
  [[nodiscard]] const SeenHead& seen() const { return link_.client().seen(); }
  [[nodiscard]] const LinkEnd& last_end() const { return link_.last_end(); }

 private:
  struct Transfer {
    std::function<void(const SubmitCall&, Now)> step;
    std::function<void(const Completion&, Now)> take;
    std::function<bool()> done;
    std::function<Time()> deadline;
  };
  [[nodiscard]] Result<Unit, StreamFailure> carry_out(const Transfer& transfer);
  [[nodiscard]] Result<Completion, StreamFailure> call_once(const RequestBody& request, Time deadline);
  void wait_until(Time moment);
  void wait_once(Time deadline);
  // Why another try is not worth it, where the latest stream failed in a way that says so.
  [[nodiscard]] std::optional<StreamFailure> hopeless() const;

  ClientLink link_;
  Duration timeout_;
  bool was_ready_ = false;
};

}  // namespace statefs
