// CRASH RUN: dsoftbusd on a state file, killed with SIGKILL at moments drawn from a seed while clients write, as often as asked.
//
//   crash_load.h, tearing_proxy.h, dsoftbusd of this build -> CRASH RUN -> crash_judge.h
//
// Some clients come through a proxy that tears their streams. Each life of the daemon has a durability of its own; some lives
// end before they are ready. Between two lives the image is read offline, as the next life will.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/store.h"
#include "sim/operation.h"
#include "tests/os/crash_load.h"
#include "tests/os/exported_audit.h"

namespace statefs::test {

struct CrashPlan {
  std::uint64_t seed = 1;
  std::size_t kill_count = 20;
  // More kills than that until this is true of what was seen, where it is given: at most kill_count_max.
  std::function<bool(const LoadLog&)> has_enough{};
  std::size_t kill_count_max = 100;
  Duration time_max = seconds(600);  // then it stops, and says so
};

// What an offline reading of the image found after the end of a life.
struct FoundImage {
  bool recovered = false;
  AuditHead last;
  std::uint64_t cut_size = 0;        // bytes of a record that was torn
  std::uint64_t promised_index = 0;  // the highest that a client had been told to be durable before
};

struct CrashEvidence {
  LoadLog log;
  std::vector<sim::Operation> restarts;
  std::map<std::uint64_t, Durability> epochs;  // of the lives that got as far as one
  std::vector<FoundImage> images;
  std::vector<ExportedRecord> exported;  // in the order of the lines, some of them twice
  SecretKey mac_key;
  std::string trouble;  // what went wrong with the run itself; empty: nothing
};

struct CrashFigures {
  std::size_t kills = 0;
  std::size_t kills_in_flight = 0;  // with a mutation sent and not answered
  std::size_t kills_before_ready = 0;
  std::size_t kills_by_mode[2] = {0, 0};  // ready ones, sync and commit
  int cuts = 0;                           // by the proxy
  double seconds = 0;
};

struct CrashRun {
  CrashEvidence evidence;
  CrashFigures figures;
};

[[nodiscard]] CrashRun run_crashes(const CrashPlan& plan);

}  // namespace statefs::test
