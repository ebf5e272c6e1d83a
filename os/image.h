// IMAGE: a state file or device that is looked at from outside, also while a daemon writes to it.
//
//   disk_file.h (reads) -> IMAGE -> text/inspection.h, audit_source.h
#pragma once

#include <string>

#include "os/disk_file.h"
#include "os/text/inspection.h"

namespace statefs {

class Image {
 public:
  // `beside`: also where a daemon has it. Without, it is a problem that one has it.
  [[nodiscard]] static Result<Image, Problem> open(const std::string& path, bool beside);

  [[nodiscard]] std::uint64_t size() const { return file_.size(); }
  [[nodiscard]] bool in_use() const { return file_.in_use(); }
  [[nodiscard]] Look look(const LookInto& how) { return look_into(size(), how, reader()); }
  [[nodiscard]] std::uint64_t file_size() const { return file_.file_size(); }
  [[nodiscard]] Inspection inspect() { return statefs::inspect(file_size(), reader()); }

 private:
  explicit Image(DiskFile file) : file_(std::move(file)) {}
  [[nodiscard]] ReadExtent reader();
  DiskFile file_;
};

}  // namespace statefs
