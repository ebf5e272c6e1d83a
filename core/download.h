// DOWNLOAD: gets one value through a client as ranges of one revision, several at a time.
//
//   client.h (GET, pinned) -> DOWNLOAD -> ValueSink (bytes in order)
//
// The first answer names the revision; what follows is pinned to it. A value that was replaced in between is begun again from its
// first byte, at most limits::transfer_restarts_max times. A stream that breaks costs what was in flight. It holds at most
// `in_flight_max` ranges that came out of order.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "core/bytes.h"
#include "core/calls.h"
#include "core/limits.h"
#include "core/request.h"
#include "core/response.h"
#include "core/time.h"
#include "core/upload.h"

namespace statefs {

class ValueSink {
 public:
  virtual ~ValueSink() = default;
  // A value of `total_size` bytes begins; what was written before is void. False: it is not wanted.
  [[nodiscard]] virtual bool begin(std::uint64_t revision, std::uint64_t total_size) = 0;
  // The next bytes of it. False: they cannot be kept.
  [[nodiscard]] virtual bool write(ByteView bytes) = 0;
};

class Download {
 public:
  explicit Download(std::string key, std::size_t in_flight_max = limits::chunks_in_flight_max,
           std::size_t range_size = limits::value_size_max);

  // Submits what can be submitted now, each with a deadline of the caller's choice.
  void step(const SubmitCall& submit, Now now);
  // Takes a completion of its own and gives `sink` what is due; false: it is of somebody else. What is put off (OVERLOADED) is asked
  // again after the wait that the answer names.
  bool take(const Completion& completion, ValueSink& sink, Now now);
  // When step() has something to do although nothing came.
  [[nodiscard]] Time deadline() const { return wait_until_; }

  [[nodiscard]] bool done() const { return done_; }
  [[nodiscard]] CallResult result() const { return result_; }
  // OK: the whole value is in the sink. MALFORMED: no server of this protocol answers so.
  [[nodiscard]] Status status() const { return status_; }
  [[nodiscard]] bool sink_failed() const { return sink_failed_; }
  [[nodiscard]] std::uint64_t revision() const { return revision_; }
  [[nodiscard]] std::uint64_t total_size() const { return total_size_; }
  [[nodiscard]] std::uint64_t written_size() const { return written_; }

 private:
  void put_off(std::uint64_t offset, const Response& response, Now now);
  [[nodiscard]] bool ask(const SubmitCall& submit, std::uint64_t offset);
  void take_first(const GetResponse& answer, ValueSink& sink);
  void take_range(std::uint64_t offset, const GetResponse& answer, ValueSink& sink);
  void drain(ValueSink& sink);
  void finish(CallResult result, Status status);

  std::string key_;
  std::size_t in_flight_max_;
  std::size_t range_size_;
  bool begun_ = false;  // the first answer came
  bool done_ = false;
  std::map<CallId, std::uint64_t> ranges_;   // in flight and still of use: their offsets
  std::map<std::uint64_t, Bytes> held_;      // came before their turn, by offset
  std::set<std::uint64_t> again_;            // were put off: their offsets
  Time wait_until_ = never;                  // never: nothing is waited for
  std::size_t put_offs_ = 0;                 // since there was progress
  std::uint64_t revision_ = 0;
  std::uint64_t total_size_ = 0;
  std::uint64_t next_ = 0;      // offset of the next range
  std::uint64_t written_ = 0;
  std::size_t restarts_ = 0;
  CallResult result_ = CallResult::answered;
  Status status_ = Status::ok;
  bool sink_failed_ = false;
};

}  // namespace statefs
