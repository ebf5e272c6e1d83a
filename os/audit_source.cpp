#include "os/audit_source.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <utility>
#include <vector>

#include "core/state.h"
#include "os/fd.h"
#include "os/image.h"
#include "os/text/audit_line.h"
#include "os/text/audit_text.h"
#include "os/text/inspection_text.h"

namespace statefs {
namespace {

constexpr std::size_t bad_count_max = 10;
constexpr std::size_t torn_lines_max = 16;

void add_bad(AuditFindings& out, std::string line) {
  if (out.bad.size() < bad_count_max) out.bad.push_back(std::move(line));
}

class ImageSource final : public AuditSource {
 public:
  ImageSource(std::string path, Image image) : path_(std::move(path)), image_(std::move(image)) {}
  [[nodiscard]] bool is_image() const override { return true; }
  [[nodiscard]] AuditFindings read(AuditReader& reader, SeenRecords& seen) override;

 private:
  std::string path_;
  Image image_;
  std::optional<LogPoint> end_;  // of the last read
};

class NewRecords final : public LogVisitor {
 public:
  NewRecords(AuditReader& reader, SeenRecords& seen, AuditFindings& out) : reader_(reader), seen_(seen), out_(out) {}
  void visit(const DecodedRecord& record, const AuditHead& head, std::uint64_t place) override {
    if (!seen_.add(record.audit, head.hash)) return;
    ++out_.record_count;
    reader_.take(record.audit, head.hash, place);
  }

 private:
  AuditReader& reader_;
  SeenRecords& seen_;
  AuditFindings& out_;
};

AuditFindings ImageSource::read(AuditReader& reader, SeenRecords& seen) {
  constexpr int attempts_max = 20;
  constexpr int pause_ms = 50;
  AuditFindings out;
  const AuditHead before = seen.last();
  NewRecords visitor(reader, seen, out);
  Inspection found;
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    LookInto how;
    how.visitor = &visitor;
    how.log_alone = true;
    how.durable_alone = image_.in_use();
    how.from = end_;
    found.all = image_.look(how);
    // A daemon may have gone round the ring, or written the head, while it was read.
    if (found.whole() || !image_.in_use()) break;
    end_.reset();
    ::poll(nullptr, 0, pause_ms);
  }
  // The records are whole where only the marks are not: what is missing is who says how far they must reach.
  if (found.all.report.damage == Damage::marks && !image_.in_use()) {
    LookInto records;
    records.visitor = &visitor;
    records.log_alone = true;
    records.without_marks = true;
    (void)image_.look(records);
  }
  found.file_size = image_.file_size();
  const RecoveryReport& report = found.all.report;
  if (!found.whole()) {
    add_bad(out, printable(path_) + ": " + finding_of(found));
    return out;
  }
  const bool is_new = report.record_count > 0 && before.index != 0 && report.before.index > before.index;
  if (is_new && end_) {
    out.note = "records after " + std::to_string(before.index) + " up to " + std::to_string(report.before.index) +
               " are no longer in " + printable(path_);
  } else {
    out.note = finding_of(found);
  }
  end_ = found.all.store.end;
  return out;
}

class LinesSource final : public AuditSource {
 public:
  LinesSource(std::string path, Fd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  [[nodiscard]] bool is_image() const override { return false; }
  [[nodiscard]] AuditFindings read(AuditReader& reader, SeenRecords& seen) override;

 private:
  void take_line(std::string_view line, AuditReader& reader, SeenRecords& seen, AuditFindings& out);
  void take_torn(std::string_view line, AuditFindings& out);
  void no_record(std::uint64_t line_number, AuditFindings& out) const;
  bool follow_rename();

  std::string path_;
  Fd fd_;
  std::string unread_;     // the line that has begun
  bool too_long_ = false;  // it was longer than a line can be, and is skipped
  std::uint64_t line_number_ = 0;
  // Lines that are none, as long as what comes may show that they were only cut.
  struct Torn {
    std::string text;
    std::uint64_t line_number = 0;
  };
  std::vector<Torn> torn_;
};

void LinesSource::no_record(std::uint64_t line_number, AuditFindings& out) const {
  add_bad(out, printable(path_) + ":" + std::to_string(line_number) + ": is no audit record");
}

// A line that was cut when the daemon or its machine stopped is written again, whole, and so are some before it that were whole: the
// log says from where on an export may be missing, not where it ended. What is cut again may be of another record. No new record
// comes before all of them are whole.
void LinesSource::take_torn(std::string_view line, AuditFindings& out) {
  if (torn_.size() == torn_lines_max) {
    no_record(torn_.front().line_number, out);
    torn_.erase(torn_.begin());
  }
  torn_.push_back({line.empty() ? "(empty)" : std::string(line), line_number_});
}

void LinesSource::take_line(std::string_view line, AuditReader& reader, SeenRecords& seen, AuditFindings& out) {
  ++line_number_;
  AuditLine parsed;
  if (!parse_audit_line(line, parsed)) return take_torn(line, out);
  std::erase_if(torn_, [line](const Torn& each) { return line.starts_with(each.text); });
  if (!genuine(parsed))
    return add_bad(out,
                   printable(path_) + ":" + std::to_string(line_number_) + ": was changed: its hash is not that of what it says");
  if (!seen.add(parsed.record, parsed.hash)) return;
  for (const Torn& each : std::exchange(torn_, {})) no_record(each.line_number, out);
  ++out.record_count;
  reader.take(parsed.record, parsed.hash, line_number_);
}

AuditFindings LinesSource::read(AuditReader& reader, SeenRecords& seen) {
  AuditFindings out;
  char buffer[64 * 1024];
  for (;;) {
    const ssize_t count = ::read(fd_.get(), buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) add_bad(out, printable(path_) + ": " + errno_text(errno));
    if (count == 0 && follow_rename()) continue;
    if (count <= 0) break;
    std::string_view piece(buffer, static_cast<std::size_t>(count));
    for (std::size_t end = piece.find('\n'); end != std::string_view::npos; end = piece.find('\n')) {
      if (!too_long_) unread_.append(piece.substr(0, end));
      take_line(std::exchange(too_long_, false) ? "(too long)" : unread_, reader, seen, out);
      unread_.clear();
      piece.remove_prefix(end + 1);
    }
    too_long_ = too_long_ || unread_.size() + piece.size() > audit_line_size_max;
    if (too_long_)
      unread_.clear();
    else
      unread_.append(piece);
  }
  if (!unread_.empty() || too_long_ || !torn_.empty())
    out.note = printable(path_) + ": its last line is not whole: it is being written, or was cut";
  return out;
}

// The file was moved away and made anew under its name.
bool LinesSource::follow_rename() {
  struct stat open_info {};
  struct stat named_info {};
  if (::fstat(fd_.get(), &open_info) != 0 || ::stat(path_.c_str(), &named_info) != 0 || open_info.st_ino == named_info.st_ino)
    return false;
  Fd fresh(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fresh.valid()) return false;
  fd_ = std::move(fresh);
  unread_.clear();
  torn_.clear();
  line_number_ = 0;
  return true;
}

}  // namespace

bool SeenRecords::add(const AuditRecord& record, const Digest& hash) {
  const AuditHead head{record.index, hash};
  const bool begins = record.kind == AuditKind::epoch && record.previous == Digest{};
  if (begins && head != first_)
    first_ = head;
  else if (record.index <= last_.index)
    return false;
  last_ = head;
  return true;
}

Result<std::unique_ptr<AuditSource>, Problem> AuditSource::open(const std::string& path) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd.valid()) return Problem{printable(path) + ": " + errno_text(errno)};
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return Problem{printable(path) + ": " + errno_text(errno)};
  char begin[2] = {};
  const bool is_regular = S_ISREG(info.st_mode);
  if (is_regular && (info.st_size == 0 || (::pread(fd.get(), begin, 2, 0) == 2 && begin[0] == '{' && begin[1] == '"'))) {
    return std::unique_ptr<AuditSource>(std::make_unique<LinesSource>(path, std::move(fd)));
  }
  auto image = Image::open(path, true);
  if (!image) return image.error();
  return std::unique_ptr<AuditSource>(std::make_unique<ImageSource>(path, std::move(image).value()));
}

}  // namespace statefs
