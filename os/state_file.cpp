#include "os/state_file.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "os/clock.h"
#include "os/entropy.h"
#include "os/text/inspection_text.h"

namespace statefs {

namespace {

Problem no_store(const std::string& path, std::uint64_t size) {
  return {"state " + printable(path) + ": is no store: it has " + std::to_string(size) + " bytes, of which a store needs " +
          std::to_string(Extent::head_size) + " for its head alone; nothing was written to it"};
}

std::string over(Misfit misfit) {
  switch (misfit) {
    case Misfit::entries: return "holds more keys and values than have room beside the sessions of this configuration: lower sessions_per_key";
    case Misfit::sessions: return "keeps more sessions than this configuration has room for: raise sessions_per_key";
    case Misfit::value: return "holds a value that is larger than total_value_size: raise that";
    case Misfit::extent:
    case Misfit::none: break;
  }
  return "has no room for the limits of this configuration: lower value_bytes, keys and total_value_size, or give a larger --state-size "
         "(for a new file)";
}

}  // namespace

Result<std::unique_ptr<StateFile>, Problem> StateFile::open(const StateFileOptions& options, const PublicKey& node) {
  const auto room = judge_room(options);
  if (!room) return room.error();
  auto file = DiskFile::open(options.path, DiskAccess::create, block_floor(options.size));
  if (!file) return file.error();
  if (file.value().file_size() < Extent::head_size) return no_store(options.path, file.value().file_size());
  JournalConfig config;
  config.limits = room.value().limits;
  config.durability = options.durability;
  config.node = node;
  config.fresh_store = random_bytes<16>();
  config.epoch_random = load_le<std::uint64_t>(random_bytes<8>().data());
  config.direct = file.value().direct();
  auto disk = DiskThread::start(std::move(file).value());
  if (!disk) return disk.error();
  std::unique_ptr<StateFile> state(new StateFile(options, config, std::move(disk).value()));
  Journal& journal = state->journal_;
  while (!journal.ready() && !journal.refused() && !journal.status().failed) {
    state->disk_->run(journal);
    journal.advance(read_clock());
  }
  const bool is_damaged = journal.refused() && journal.report().found == Found::corrupt;
  if (!is_damaged && (journal.refused() || journal.status().failed)) return state->refusal();
  return state;
}

Problem StateFile::refusal() const {
  const RecoveryReport& report = journal_.report();
  const std::string place = " at byte " + std::to_string(report.place);
  std::string what;
  switch (report.found) {
    case Found::corrupt:
      return {found()};
    case Found::foreign:
      what = "is no store of this device: it holds something else, or belongs to another identity; nothing was written to it";
      break;
    case Found::unfit:
      what = over(report.misfit);
      break;
    case Found::unreadable: what = "cannot be read" + place; break;
    case Found::nothing_yet:
    case Found::fresh:
    case Found::recovered: what = "failed while it was being opened: see the messages of the system about its disk"; break;
  }
  return {"state " + printable(options_.path) + ": " + what};
}

std::string StateFile::found() const {
  const RecoveryReport& report = journal_.report();
  const StoreStatus& status = journal_.status();
  std::string line = "state " + printable(options_.path) + ": ";
  if (damaged()) {
    return line + "is damaged in " + std::string(name_of(report.damage)) + ", at byte " + std::to_string(report.place) +
           ": nothing of it is served; 'statefs check " + printable(options_.path) + "' says what is safe to read";
  }
  if (report.found == Found::fresh) {
    line += "new store";
  } else {
    line += "recovered " + std::to_string(report.record_count) + " records up to " + std::to_string(report.last.index);
  }
  line += ", epoch " + std::to_string(status.epoch);
  if (report.cut_size > 0) {
    line += ", cut at byte " + std::to_string(report.cut_place) + " where a record was torn (" + std::to_string(report.cut_size) + " bytes)";
  }
  if (journal_.read_only()) line += ", read-only until its audit is exported";
  return line;
}

bool StateFile::settle(Now now) {
  journal_.submit(now);
  journal_.request_flush(journal_.status().last_index);
  // Nobody waits for the moments of a flush and a mark: they are now. With both marks of the end, damage of one hides nothing.
  while (!journal_.status().failed && !journal_.settled()) {
    journal_.advance(now);
    disk_->run(journal_);
    if (journal_.deadline() != never) now.monotonic = std::max(now.monotonic, journal_.deadline());
  }
  return !journal_.status().failed;
}

}  // namespace statefs
