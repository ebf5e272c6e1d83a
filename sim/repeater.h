// REPEATER: an enrolled peer that sends each mutation more than once and never asks what became of it.
//
//   world.h -> REPEATER -> raw_link.h -> the real server;  calls and completions -> trace.h
//
// The client library learns from RESUME what ran, and so never repeats what did. A peer that is written by somebody else
// may: this one resumes its session over each new stream, sends again whatever had no answer, with the same slot and
// sequence, and now and then what had one. Its calls are in the trace like any client's, one call however often it is
// sent, so every check judges them. A repeated answer that differs from the first is a second completion, which the
// checks object to. Between its calls it sends what no client would: another request with a used sequence, also one that differs in
// one thing alone, one with an old sequence or one beyond the next, one of an old generation, and OUTCOME. Of those none may run.
#pragma once

#include <map>
#include <string>

#include "core/calls.h"
#include "sim/raw_link.h"

namespace statefs::sim {

struct RepeaterOptions {
  NodeId server = 0;
  PublicKey server_key;             // filled in by the world
  std::uint32_t call_count = 20;
  std::uint32_t slot_count = 2;     // at most limits::slots_per_session
  std::uint32_t key_count = 3;
  std::uint32_t value_size_max = 2'000;
  Duration pause_max = milliseconds(20);  // between an answer and the next call
  Ratio outside{1, 8};              // the key is outside the grant
  Ratio cut{1, 4};                  // after a request the stream is cut
  Ratio repeat{1, 4};               // what was sent, or answered, is sent once more
  Ratio probe{1, 4};                // something that may not run is sent as well
};

class Repeater final : public Program {
 public:
  Repeater(Node& node, const RepeaterOptions& options);

  [[nodiscard]] bool done() const { return completed_ == options_.call_count; }
  [[nodiscard]] std::uint32_t completed_count() const { return completed_; }
  [[nodiscard]] std::uint32_t repeated_count() const { return repeated_; }  // answers flagged as replayed

 private:
  struct Call {
    std::uint64_t id = 0;
    Op op = Op::put;
    std::uint64_t sequence = 0;
    std::string key;
    Bytes value;
    bool answered = false;
    Status status = Status::ok;
    std::uint64_t index = 0, revision = 0;
  };
  // What has been sent on a slot last, and how far its sequence is used.
  struct Line {
    std::uint64_t used = 0;
    std::optional<Call> call;
    std::optional<Call> before;  // the one before it, which was answered
    Time next;  // when the next call is made, or this one sent again
  };
  struct Written {
    std::size_t line = 0;
    std::uint64_t sequence = 0, id = 0, index = 0;
  };
  enum class Step : std::uint8_t { apart, closing, joined };

  void work(const std::vector<StreamEnd>& ready, Now now) override;
  [[nodiscard]] Time deadline() const override;
  void drop(Now now);
  void ask(Now now);
  void take(const Response& response, Now now);
  void take_session(const Response& response, Now now);
  void take_mutation(std::size_t line, const Response& response, Now now);
  void call_next(Now now);
  void send(std::size_t line, std::uint64_t kind);
  void probe(std::size_t line);
  void probe_nearly_same(std::size_t line);
  [[nodiscard]] static Request request_of(const Call& call, const SlotRef& at, std::uint64_t id);
  void complete(Call& call, CallResult result, const Response& response);
  void abandon(bool certain);
  void lose(std::size_t line, std::uint64_t above, bool certain);

  RepeaterOptions options_;
  RandomStream random_;
  std::optional<RawLink> link_;
  Step step_ = Step::apart;
  bool asked_ = false;             // a session verb is under way
  Time due_;                       // when the next connection or session verb may be tried
  Time heard_;
  SessionInstance instance_{};
  std::uint32_t generation_ = 0;
  std::uint64_t session_ = 0;
  std::vector<Line> lines_;
  std::vector<Written> written_;   // answered OK and not known durable
  std::uint64_t ids_ = 0;
  std::uint32_t completed_ = 0;
  std::uint32_t repeated_ = 0;
};

}  // namespace statefs::sim
