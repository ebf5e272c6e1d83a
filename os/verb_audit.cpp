// audit tail, query, export, head, verify: what was recorded, from images and from exported files.
#include <poll.h>

#include <charconv>
#include <deque>

#include "core/state.h"
#include "os/audit_source.h"
#include "os/clock.h"
#include "os/text/audit_text.h"
#include "os/text/text_values.h"
#include "os/verbs_offline.h"

namespace statefs::cli {
namespace {

constexpr std::size_t print_size = 64 * 1024;
constexpr std::uint64_t tail_count_max = 100'000;
constexpr int follow_pause_ms = 500;

std::string line_of(const AuditRecord& record, const Digest& hash, Output output) {
  std::string line;
  if (output == Output::json)
    append_audit_json(record, hash, line);
  else
    append_audit_text(record, line);
  return line;
}

// Prints what it is given as it comes, in large pieces.
class Printer : public AuditReader {
 public:
  explicit Printer(Output output) : output_(output) {}
  void take(const AuditRecord& record, const Digest& hash, std::uint64_t) override {
    held_ += line_of(record, hash, output_);
    if (held_.size() >= print_size) flush();
  }
  virtual void flush() {
    if (failure_ || held_.empty()) return;
    failure_ = print(held_);
    held_.clear();
  }
  [[nodiscard]] const std::optional<Failure>& failure() const { return failure_; }

 protected:
  Output output_;
  std::string held_;
  std::optional<Failure> failure_;
};

class Query final : public Printer {
 public:
  Query(const AuditFilter& filter, Output output) : Printer(output), filter_(filter) {}
  void take(const AuditRecord& record, const Digest& hash, std::uint64_t place) override {
    if (filter_.matches(record)) Printer::take(record, hash, place);
  }

 private:
  const AuditFilter& filter_;
};

// The last so many that match; once they are flushed, what comes is printed.
class Tail final : public Printer {
 public:
  Tail(const AuditFilter& filter, std::uint64_t count, Output output) : Printer(output), filter_(filter), count_(count) {}
  void take(const AuditRecord& record, const Digest& hash, std::uint64_t) override {
    if (!filter_.matches(record)) return;
    lines_.push_back(line_of(record, hash, output_));
    if (lines_.size() > count_) lines_.pop_front();
  }
  void flush() override {
    for (const std::string& line : lines_) held_ += line;
    lines_.clear();
    count_ = tail_count_max;
    Printer::flush();
  }

 private:
  const AuditFilter& filter_;
  std::uint64_t count_;
  std::deque<std::string> lines_;
};

// Whether each record follows the one before, and whether a head that somebody was told is among them.
class Verifier final : public AuditReader {
 public:
  explicit Verifier(const AuditHead& told) : told_(told) {}
  void take(const AuditRecord& record, const Digest& hash, std::uint64_t place) override {
    const bool begins = record.kind == AuditKind::epoch && record.previous == Digest{};
    if (count_ > 0 && !begins && !follows(record, last_) && bad_.empty()) {
      bad_ = "record " + std::to_string(record.index) + " at " + std::to_string(place) + " does not follow record " +
             std::to_string(last_.index);
    }
    if (count_++ == 0) first_index_ = record.index;
    last_ = {record.index, hash};
    if (record.index != told_.index) return;
    found_ = hash == told_.hash;
    if (!found_ && bad_.empty()) bad_ = "record " + std::to_string(record.index) + " is not the one that the head names";
  }
  // What is wrong; empty: nothing.
  [[nodiscard]] std::string objection() const {
    if (!bad_.empty() || told_.index == 0 || found_) return bad_;
    if (told_.index > last_.index)
      return "ends at " + std::to_string(last_.index) + ", before the head " + std::to_string(told_.index) +
             ": this is an older copy, or its end was cut off";
    return "";
  }
  // The head is older than what is here.
  [[nodiscard]] bool cannot_say() const { return told_.index != 0 && !found_ && bad_.empty() && told_.index <= last_.index; }
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] std::uint64_t first_index() const { return first_index_; }
  [[nodiscard]] const AuditHead& last() const { return last_; }

 private:
  AuditHead told_;
  AuditHead last_;
  std::string bad_;
  bool found_ = false;
  std::uint64_t count_ = 0;
  std::uint64_t first_index_ = 0;
};

// Reads all sources, one after the other; what is wrong with them is told as it is found.
class Sources {
 public:
  [[nodiscard]] std::optional<Failure> open(const std::vector<std::string>& paths) {
    for (const std::string& path : paths) {
      auto source = AuditSource::open(path);
      if (!source) return Failure{Exit::failed, source.error().line};
      sources_.push_back(std::move(source).value());
    }
    return std::nullopt;
  }
  void read(AuditReader& reader) {
    for (auto& source : sources_) {
      const AuditFindings findings = source->read(reader, seen_);
      if (!findings.note.empty() && findings.note != noted_) complain("statefs", "audit: " + findings.note);
      noted_ = findings.note;
      for (const std::string& line : findings.bad) complain("statefs", "audit: " + line);
      damaged_ = damaged_ || !findings.bad.empty();
    }
  }
  // After a first read: what has come since.
  void follow(AuditReader& reader) {
    if (sources_.size() > 1) sources_.erase(sources_.begin(), sources_.end() - 1);
    read(reader);
  }
  [[nodiscard]] int exit_status() const { return static_cast<int>(damaged_ ? Exit::integrity : Exit::ok); }
  [[nodiscard]] bool damaged() const { return damaged_; }
  [[nodiscard]] const AuditHead& last() const { return seen_.last(); }

 private:
  std::vector<std::unique_ptr<AuditSource>> sources_;
  SeenRecords seen_;
  std::string noted_;
  bool damaged_ = false;
};

// The filter as the flags say it.
std::optional<Failure> settle_filter(AuditOptions& options) {
  const std::int64_t now_ns = read_clock().wall_ns;
  const auto instant = [now_ns](const std::string& flag, const std::string& text,
                                std::optional<std::int64_t>& out) -> std::optional<Failure> {
    if (text.empty()) return std::nullopt;
    out = instant_of_text(text, now_ns);
    if (out) return std::nullopt;
    return Failure{Exit::failed, "audit: " + flag + " '" + printable(text) +
                                     "' is no time: 2026-11-23T18:07:09Z, 2026-11-23, or how long ago: 90s, 2h"};
  };
  if (auto failure = instant("--since", options.since, options.filter.since_ns)) return failure;
  if (auto failure = instant("--until", options.until, options.filter.until_ns)) return failure;
  const std::string objection = objection_to(options.filter);
  if (!objection.empty()) return Failure{Exit::failed, "audit: " + objection};
  return std::nullopt;
}

std::optional<AuditHead> head_of_text(std::string_view text) {
  AuditHead head;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), head.index);
  if (error != std::errc{} || head.index == 0 || end == text.data() + text.size() || *end != ':') return std::nullopt;
  const auto hash = key_of_hex(text.substr(static_cast<std::size_t>(end - text.data()) + 1));
  if (!hash) return std::nullopt;
  head.hash = hash->bytes;
  return head;
}

class Nothing final : public AuditReader {
 public:
  void take(const AuditRecord&, const Digest&, std::uint64_t) override {}
};

// Records after an index; says where the first that is there is a later one than the next.
class Export final : public Printer {
 public:
  explicit Export(std::uint64_t after) : Printer(Output::json), after_(after) {}
  void take(const AuditRecord& record, const Digest& hash, std::uint64_t place) override {
    if (record.index <= after_) return;
    if (!std::exchange(begun_, true)) {
      const std::uint64_t before = record.kind == AuditKind::epoch ? record.old_revision : record.index - 1;
      if (before > after_) missing_up_to_ = before;
    }
    Printer::take(record, hash, place);
  }
  [[nodiscard]] std::uint64_t missing_up_to() const { return missing_up_to_; }

 private:
  std::uint64_t after_;
  bool begun_ = false;
  std::uint64_t missing_up_to_ = 0;
};

}  // namespace

int run_audit_query(AuditOptions options, Output output) {
  if (const auto failure = settle_filter(options)) return fail(*failure);
  Sources sources;
  if (const auto failure = sources.open(options.sources)) return fail(*failure);
  Query query(options.filter, output);
  sources.read(query);
  query.flush();
  return query.failure() ? fail(*query.failure()) : sources.exit_status();
}

int run_audit_tail(AuditOptions options, Output output) {
  if (const auto failure = settle_filter(options)) return fail(*failure);
  Sources sources;
  if (const auto failure = sources.open(options.sources)) return fail(*failure);
  Tail tail(options.filter, std::min(options.count, tail_count_max), output);
  sources.read(tail);
  tail.flush();
  while (options.follow && !tail.failure()) {
    ::poll(nullptr, 0, follow_pause_ms);
    sources.follow(tail);
    tail.flush();
  }
  return tail.failure() ? fail(*tail.failure()) : sources.exit_status();
}

int run_audit_export(const AuditOptions& options) {
  Sources sources;
  if (const auto failure = sources.open(options.sources)) return fail(*failure);
  Export out(options.after.value_or(0));
  sources.read(out);
  out.flush();
  if (out.failure()) return fail(*out.failure());
  if (options.after && out.missing_up_to() != 0) {
    return fail({Exit::integrity, "audit export: records after " + std::to_string(*options.after) + " up to " +
                                      std::to_string(out.missing_up_to()) +
                                      " are not there: name the files that have them before this"});
  }
  return sources.exit_status();
}

int run_audit_head(const AuditOptions& options, Output output) {
  Sources sources;
  if (const auto failure = sources.open(options.sources)) return fail(*failure);
  Nothing nothing;
  sources.read(nothing);
  const AuditHead& head = sources.last();
  const std::string hash = hex_of(head.hash);
  const std::string index = std::to_string(head.index);
  const auto failure =
      print(output == Output::json ? "{\"index\":" + index + ",\"hash\":\"" + hash + "\"}\n" : index + ":" + hash + "\n");
  return failure ? fail(*failure) : sources.exit_status();
}

int run_audit_verify(const AuditOptions& options, Output output) {
  AuditHead told;
  if (!options.head.empty()) {
    const auto head = head_of_text(options.head);
    if (!head)
      return fail({Exit::failed, "audit verify: --head '" + printable(options.head) +
                                     "' is not INDEX:HASH, as 'statefs audit head' prints it"});
    told = *head;
  }
  Sources sources;
  if (const auto failure = sources.open(options.sources)) return fail(*failure);
  Verifier verifier(told);
  sources.read(verifier);
  const std::string objection = verifier.objection();
  const bool is_whole = objection.empty() && !sources.damaged();
  const std::string verdict = is_whole ? "whole" : "damaged";
  const std::string count = std::to_string(verifier.count());
  const std::string first = std::to_string(verifier.first_index());
  const std::string last = std::to_string(verifier.last().index) + ":" + hex_of(verifier.last().hash);
  const auto failure = print(output == Output::json ? "{\"verdict\":\"" + verdict + "\",\"records\":" + count +
                                                          ",\"first\":" + first + ",\"last\":\"" + last + "\"}\n"
                                                    : verdict + ": " + count + " records from " + first + " to " + last + "\n");
  if (failure) return fail(*failure);
  if (!objection.empty()) return fail({Exit::integrity, "audit verify: " + objection});
  if (!sources.damaged() && verifier.cannot_say()) {
    return fail({Exit::failed,
                 "audit verify: the head " + std::to_string(told.index) + " is older than what is here, and was not compared"});
  }
  return sources.exit_status();
}

}  // namespace statefs::cli
