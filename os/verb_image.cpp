// check, dump, session ls: what a state file or device holds.
#include <poll.h>

#include <utility>

#include "os/image.h"
#include "os/text/dump_text.h"
#include "os/text/inspection_text.h"
#include "os/text/session_text.h"
#include "os/verbs_offline.h"

namespace statefs::cli {
namespace {

// What could not be read at all, or was damaged, is told to scripts in one number.
int exit_status(const Inspection& inspection) { return static_cast<int>(inspection.whole() ? Exit::ok : Exit::integrity); }

// Whole, or as it was left. A daemon that has it may write the head, or take a snapshot, while it is read: then once more.
Inspection look_beside(Image& image) {
  constexpr int attempts_max = 20;
  constexpr int pause_ms = 50;
  Inspection found;
  found.file_size = image.file_size();
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    LookInto how;
    how.durable_alone = image.in_use();
    found.all = image.look(how);
    if (found.whole() || !image.in_use()) break;
    ::poll(nullptr, 0, pause_ms);
  }
  return found;
}

}  // namespace

int run_session_list(const std::string& path, const std::string& peer, Output output) {
  auto image = Image::open(path, true);
  if (!image) return fail({Exit::failed, image.error().line});
  const Inspection found = look_beside(image.value());
  std::string text;
  (void)each_session(found.all.store.state.slots, [&](const SessionOf& each) {
    if (!peer.empty() && !is_named(each.owner, peer)) return true;
    if (output != Output::json)
      text += session_text(each);
    else
      text += (text.empty() ? "" : ",") + session_json(each);
    return true;
  });
  if (output == Output::json) text = "{\"sessions\":[" + text + "]}\n";
  if (const auto failure = print(text)) return fail(*failure);
  if (found.whole()) return 0;
  return fail({Exit::integrity,
               "state " + printable(path) + ": " + finding_of(found) + ": what is printed is what was whole before"});
}

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
