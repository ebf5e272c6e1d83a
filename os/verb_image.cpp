// check, dump: what a state file or device holds.
#include "os/image.h"
#include "os/text/dump_text.h"
#include "os/text/inspection_text.h"
#include "os/verbs_offline.h"

namespace statefs::cli {
namespace {

// What could not be read at all, or was damaged, is told to scripts in one number.
int exit_status(const Inspection& inspection) { return static_cast<int>(inspection.whole() ? Exit::ok : Exit::integrity); }

}  // namespace

int run_check(const std::string& path, Output output) {
  auto image = Image::open(path, false);
  if (!image) return fail({Exit::failed, image.error().line});
  const Inspection inspection = image.value().inspect();
  const auto failure = print(output == Output::json ? check_json(inspection) : check_text(inspection, printable(path)));
  return failure ? fail(*failure) : exit_status(inspection);
}

int run_dump(const std::string& path, Output output) {
  auto image = Image::open(path, false);
  if (!image) return fail({Exit::failed, image.error().line});
  const Inspection inspection = image.value().inspect();
  std::optional<Failure> failure;
  std::string held;  // printed in larger pieces than it is made
  const auto flush = [&] {
    failure = print(held);
    held.clear();
    return !failure;
  };
  const PrintPiece piece = [&](std::string_view text) {
    held += text;
    return held.size() < 64 * 1024 || flush();
  };
  if (!(output == Output::json ? dump_json(inspection.all, piece) : dump_text(inspection.all, piece)) || !flush())
    return fail(*failure);
  if (inspection.whole()) return 0;
  return fail({Exit::integrity,
               "state " + printable(path) + ": " + finding_of(inspection) + ": what is printed is what was whole before"});
}

}  // namespace statefs::cli
