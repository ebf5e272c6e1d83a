// WITNESS FILE: what servers called durable, kept from one run of a program to the next.
//
//   text/witness_text.h -> WITNESS FILE -> cli.h (ClientConfig::seen, a rollback is told)
//
// It is replaced whole (a new file, synced, renamed over it), under its lock, and a head is never replaced by an older one of the same
// store: so programs may share it.
#pragma once

#include <optional>
#include <string>

#include "core/result.h"
#include "core/witness.h"
#include "os/problem.h"

namespace statefs {

class WitnessFile {
 public:
  // `server` as text/witness_text.h names one. A file that is not there is made, so that a place where none can be is known at once.
  [[nodiscard]] static Result<WitnessFile, Problem> open(const std::string& path, const std::string& server);

  [[nodiscard]] const SeenHead& seen() const { return seen_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  // Durable when it returns.
  [[nodiscard]] std::optional<Problem> keep(const SeenHead& seen);

 private:
  WitnessFile(std::string path, std::string server, const SeenHead& seen)
      : path_(std::move(path)), server_(std::move(server)), seen_(seen) {}

  std::string path_;
  std::string server_;
  SeenHead seen_;
};

}  // namespace statefs
