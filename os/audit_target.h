// AUDIT TARGET: where audit records go: a file of JSON Lines, the console, or journald.
//
//   audit_export.h (batches, retries) -> AUDIT TARGET -> audit_file.h | console.h | sendto(2)
//
// A target never waits. What it says is out is out; what it did not take comes again, from the first message of the next batch
// on. One that takes its time (audit_file.h) is busy after write(), and says later what is out.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/audit.h"
#include "core/result.h"
#include "os/console.h"
#include "os/fd.h"
#include "os/problem.h"

namespace statefs {

inline constexpr std::string_view journald_socket = "/run/systemd/journal/socket";

class AuditTarget {
 public:
  virtual ~AuditTarget() = default;
  // Appends the one message that an encoded record is here; always the same bytes.
  virtual void add(ByteView encoded, const Digest& hash, std::string& out) const = 0;
  // Messages that end at `ends`: how many of them are out. Fewer: see error().
  [[nodiscard]] virtual std::size_t write(std::string_view messages, std::span<const std::size_t> ends) = 0;
  // While it is busy nothing may be written. take_written() ends that, once fd() is readable: how many of the messages are out.
  [[nodiscard]] virtual bool busy() const { return false; }
  [[nodiscard]] virtual std::optional<std::size_t> take_written() { return std::nullopt; }
  [[nodiscard]] virtual int fd() const { return -1; }
  // An errno, or 0 where there was no room.
  [[nodiscard]] virtual int error() const = 0;
  // Opens it again by its name; what was there stays where that fails. One that works beside us says so later, once fd() is readable.
  [[nodiscard]] virtual std::optional<Problem> reopen() { return std::nullopt; }
  [[nodiscard]] virtual std::optional<Problem> take_problem() { return std::nullopt; }
  // These may wait. At most so long, until it takes more, or what is under way is done:
  virtual void make_room(Duration) {}
  // For the end of the process. What is out stays out, whatever the machine does next.
  virtual void make_durable() {}
};

// A file's path; `-`: the console, which outlives the target; `journald`, or `journald:PATH` for another socket than the usual.
[[nodiscard]] Result<std::unique_ptr<AuditTarget>, Problem> open_audit_target(const std::string& where, Console& console);

}  // namespace statefs
