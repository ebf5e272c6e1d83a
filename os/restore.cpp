#include "os/restore.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/block_buffer.h"
#include "os/clock.h"
#include "os/disk_file.h"
#include "os/entropy.h"
#include "os/file.h"
#include "os/state_file.h"
#include "os/text/inspection.h"
#include "os/text/inspection_text.h"

namespace statefs {
namespace {

constexpr std::uint64_t copy_size = std::uint64_t{1} << 20;

RestoreFailure about(const std::string& path, const std::string& what) { return {{"restore " + printable(path) + ": " + what}, false}; }

ReadExtent reader_of(DiskFile& file) {
  return [&file](const DiskRequest& request, ByteView& bytes) {
    if (!file.perform(request)) return false;
    bytes = file.read_bytes();
    return true;
  };
}

// The head of the extent, as the backup has it but for the id.
Bytes head_of(const Inspection& found, const StoreId& store) {
  BlockBuffer head(Extent::head_size);
  Superblock superblock = found.all.store.superblock;
  superblock.store = store;
  append_superblock(superblock, head);
  for (const std::optional<Mark>& mark : found.all.store.marks) {
    if (!mark) {
      head.zeros(disk_block_size);
      continue;
    }
    Mark same = *mark;
    same.store = store;
    append_mark(same, head);
  }
  append_superblock(superblock, head);
  return Bytes(head.bytes().begin(), head.bytes().end());
}

// An errno, or 0. The file is removed with its name.
int write_copy(DiskFile& backup, const Bytes& head, const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.valid()) return errno;
  if (const int error = ::posix_fallocate(fd.get(), 0, static_cast<off_t>(backup.size())); error != 0) return error;
  if (const int error = write_all(fd.get(), head); error != 0) return error;
  for (std::uint64_t at = Extent::head_size; at < backup.size(); at += copy_size) {
    const std::uint64_t size = std::min(copy_size, backup.size() - at);
    if (!backup.perform({DiskRequest::Kind::read, 0, at, size, {}})) return EIO;
    if (const int error = write_all(fd.get(), backup.read_bytes()); error != 0) return error;
  }
  return ::fsync(fd.get()) == 0 ? 0 : errno;
}

// Limits that the store fits, whatever the configuration of its daemon was.
StateFileOptions options_for(const std::string& path, const Look& look) {
  StateFileOptions options;
  options.path = path;
  const State& state = look.store.state;
  options.value_size_max = 1;
  for (const auto& [key, entry] : state.entries.map()) options.value_size_max = std::max(options.value_size_max, entry.value.size());
  options.store = {state.entries.footprint(), 0};
  options.replay_bytes_max = state.slots.footprint();
  return options;
}

Result<Restored, RestoreFailure> record(const std::string& path, const Look& look, const StoreId& store) {
  auto opened = StateFile::open(options_for(path, look), look.store.superblock.node);
  if (!opened) return RestoreFailure{opened.error(), false};
  StateFile& state = *opened.value();
  Restored out{look.store.superblock.store, store, look.report.last, 0, look.store.state.entries.map().size()};
  const Now now = read_clock();
  AuditRecord record;
  record.kind = AuditKind::restored;
  record.wall_ns = now.wall_ns;
  record.monotonic_ns = now.monotonic.ns;
  record.allowed = true;
  record.old_revision = record.new_revision = look.report.last.index;
  std::copy(out.from.begin(), out.from.end(), record.value_mac.begin());
  std::copy(store.begin(), store.end(), record.value_mac.begin() + out.from.size());
  const auto appended = state.store().append(record);
  if (!appended.ok()) return about(path, "its log has no room: open the store where it was, let its audit be exported, and take the backup then");
  out.index = appended.value();
  if (!state.settle(now)) return about(path, "cannot be made durable: see the messages of the system about its disk");
  return out;
}

// Under its own name, where nothing is yet.
int publish(const std::string& fresh, const std::string& path) {
  if (::link(fresh.c_str(), path.c_str()) != 0) return errno;
  const auto slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return fd.valid() && ::fsync(fd.get()) == 0 ? 0 : errno;
}

// Removed when it goes.
class FreshFile {
 public:
  explicit FreshFile(std::string path) : path_(std::move(path)) { ::unlink(path_.c_str()); }
  FreshFile(const FreshFile&) = delete;
  FreshFile& operator=(const FreshFile&) = delete;
  ~FreshFile() { ::unlink(path_.c_str()); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace

Result<Restored, RestoreFailure> restore_backup(const std::string& backup, const std::string& image) {
  struct stat info {};
  if (::lstat(image.c_str(), &info) == 0) return about(image, "is there already: name a file that is not");
  if (errno != ENOENT) return about(image, errno_text(errno));
  auto file = DiskFile::open(backup, DiskAccess::read_only);
  if (!file) return RestoreFailure{file.error(), false};
  const Inspection found = inspect(file.value().file_size(), reader_of(file.value()));
  if (found.all.report.found != Found::recovered) {
    const std::string finding = finding_of(found);
    return RestoreFailure{{"backup " + printable(backup) + ": " + (finding.empty() ? std::string(verdict_of(found)) : finding) +
                           ": only a whole store is restored; 'statefs check " + printable(backup) + "' says more"},
                          found.all.report.found == Found::corrupt};
  }
  const StoreId store = random_bytes<16>();
  const FreshFile fresh(image + ".restoring");
  if (const int error = write_copy(file.value(), head_of(found, store), fresh.path()); error != 0) return about(image, errno_text(error));
  auto restored = record(fresh.path(), found.all, store);
  if (!restored) return restored.error();
  if (const int error = publish(fresh.path(), image); error != 0) return about(image, errno_text(error));
  return restored;
}

}  // namespace statefs
