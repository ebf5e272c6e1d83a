// CLIENT PROGRAM: a real core Client on one node, with the stream that it wants and a user that calls.
//
//   CallUser (submit, completed) <-> CLIENT PROGRAM -> core/client.h;  calls and completions -> trace.h
//
// What goes into the trace: each request and each response as the frame it would be, so that checkers decode them by
// themselves and share nothing with the client. A crash takes the client with all its calls; after a restart there is a new
// one, whose calls are numbered above those of before (trace_call_id).
#pragma once

#include <optional>
#include <vector>

#include "core/client.h"
#include "sim/history.h"
#include "sim/node.h"

namespace statefs::sim {

class ClientProgram;

// Who makes the calls. It is told within the client's wake-up and may submit more at once.
class CallUser {
 public:
  virtual ~CallUser() = default;
  virtual void completed(ClientProgram& client, Completion completion) = 0;
  // A write that was answered OK is gone, or may be.
  virtual void lost(ClientProgram&, const LostWrite&) {}
};

struct ClientProgramOptions {
  NodeId server = 0;
  ClientConfig config;      // without a server key the world fills in the right one
  std::size_t read_size = 64 * 1024;
  bool local = false;       // it speaks to the local door
};

class ClientProgram final : public Program {
 public:
  // `user` outlives the program.
  ClientProgram(Node& node, const ClientProgramOptions& options, CallUser& user);

  // The bytes that `request` points to are copied.
  [[nodiscard]] Result<CallId, SubmitError> submit(const RequestBody& request, Duration timeout);
  // Cuts the stream, where there is one, at both ends.
  void break_stream();
  // The next stream is cut when this many bytes of it have arrived from one side.
  void cut_next_stream_after(Side from, std::uint64_t byte_count) { cut_ = {from, byte_count}; }

  // Only while it is up.
  [[nodiscard]] Client& client() { return *client_; }
  void crash(bool silent = false);
  // Each wait between two streams that this program and those before it on the node made.
  [[nodiscard]] const std::vector<SeenWait>& waits() const { return waits_; }
  [[nodiscard]] std::optional<StreamEnd> stream_end() const { return end_; }

 private:
  struct Cut {
    Side from = Side::connector;
    std::uint64_t byte_count = 0;
  };
  void work(const std::vector<StreamEnd>& ready, Now now) override;
  [[nodiscard]] Time deadline() const override;
  void started() override;
  void read_stream(Now now);
  void write_output(Now now);
  void lose_stream(Now now);
  void begin_wait(Now now);
  void end_wait(Now now);
  void report_completions();
  void report_lost();
  void report_rollback();

  ClientProgramOptions options_;
  CallUser& user_;
  std::optional<Client> client_;
  std::optional<StreamEnd> end_;
  bool opened_ = false;
  std::optional<Cut> cut_;
  Bytes frame_;  // for the trace
  std::vector<SeenWait> waits_;
  // Streams in a row on which HELLO was not answered; without is_exact there may have been more.
  struct Failures {
    std::uint32_t count = 0;
    bool is_exact = true;
  };
  Failures failures_;
  bool is_ready_ = false;            // HELLO was answered on this stream
  std::optional<SeenWait> waiting_;  // the present one; `lasted` is when it began
};

}  // namespace statefs::sim
