// TRANSFERS: large values in and out of one client, each by a core Upload or Download.
//
//   workload.h -> TRANSFERS -> core/upload.h, core/download.h -> client_program.h (each call in the trace);  completions -> workload.h
//
// Each is one operation of its workload, however many calls it makes. Calls that an upload has given up are still its own.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "core/download.h"
#include "core/upload.h"
#include "sim/client_program.h"

namespace statefs::sim {

// How a large value travels.
struct Pieces {
  std::size_t size_max = limits::chunk_size_max;
  std::size_t in_flight_max = limits::chunks_in_flight_max;
};

class Transfers {
 public:
  Transfers();
  ~Transfers();

  // The value is kept until all of it is there.
  void put(UploadPlan plan, Bytes value, const Pieces& pieces);
  void get(const std::string& key, const Pieces& pieces);

  // Submits what can be submitted.
  void step(ClientProgram& client, Duration timeout);
  // True: it was of one of these.
  [[nodiscard]] bool take(const Completion& completion, Now now);
  // Those that are done since the last time.
  [[nodiscard]] std::uint32_t take_finished();
  // When step() has something to do though nothing was completed.
  [[nodiscard]] Time deadline() const;
  void clear();

 private:
  struct In;
  struct Out;
  std::map<std::uint64_t, std::unique_ptr<In>> in_;
  std::map<std::uint64_t, std::unique_ptr<Out>> out_;
  std::set<CallId> calls_;
  std::uint64_t last_ = 0;
  std::uint32_t finished_ = 0;
};

}  // namespace statefs::sim
