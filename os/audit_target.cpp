#include "os/audit_target.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "core/check.h"
#include "os/audit_file.h"
#include "os/clock.h"
#include "os/text/audit_text.h"

namespace statefs {
namespace {

constexpr std::string_view journald_name = "journald";

AuditRecord record_of(ByteView encoded) {
  const auto record = decode_audit(encoded);
  STATEFS_CHECK(record.ok());  // this process encoded it
  return record.value();
}

class AuditConsole final : public AuditTarget {
 public:
  explicit AuditConsole(Console& console) : console_(console) {}
  void add(ByteView encoded, const Digest& hash, std::string& out) const override {
    append_audit_console(record_of(encoded), hash, out);
  }
  std::size_t write(std::string_view messages, std::span<const std::size_t> ends) override {
    if (!console_.idle()) console_.flush(read_clock());  // the rest of a line, say
    return console_.write(messages, ends);
  }
  int error() const override { return console_.error(); }
  void make_room(Duration patience) override { console_.drain(patience); }
  void make_durable() override { console_.drain(seconds(1)); }

 private:
  Console& console_;
};

// The native protocol: https://systemd.io/JOURNAL_NATIVE_PROTOCOL. One datagram for each record.
class AuditJournald final : public AuditTarget {
 public:
  explicit AuditJournald(std::string path) : path_(std::move(path)) {}
  void add(ByteView encoded, const Digest& hash, std::string& out) const override {
    append_audit_journald(record_of(encoded), hash, out);
  }
  std::size_t write(std::string_view messages, std::span<const std::size_t> ends) override {
    std::size_t start = 0;
    std::size_t count = 0;
    for (const std::size_t end : ends) {
      if (!send(messages.substr(start, end - start))) break;
      start = end;
      ++count;
    }
    return count;
  }
  int error() const override { return error_; }
  std::optional<Problem> reopen() override {
    if (connect()) return std::nullopt;
    return Problem{"audit to journald at " + printable(path_) + ": " + errno_text(error_)};
  }
  void make_room(Duration patience) override {
    pollfd watched{fd_.get(), POLLOUT, 0};
    ::poll(&watched, 1, static_cast<int>(patience.ns / milliseconds(1).ns));
  }

 private:
  bool connect() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    error_ = ENAMETOOLONG;
    if (path_.size() >= sizeof address.sun_path) return false;
    std::memcpy(address.sun_path, path_.data(), path_.size());
    Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const bool connected = fd.valid() && ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    error_ = connected ? 0 : errno;
    if (connected) fd_ = std::move(fd);
    return connected;
  }
  bool send(std::string_view message) {
    // Twice at most: a journald that was restarted has another socket under the same name.
    for (int attempt = 0; attempt < 2; ++attempt) {
      const ssize_t count = ::send(fd_.get(), message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (count >= 0) return true;
      error_ = errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS ? 0 : errno;
      if (error_ == 0 || attempt > 0 || !connect()) return false;
    }
    return false;
  }

  std::string path_;
  Fd fd_;
  int error_ = 0;
};

}  // namespace

Result<std::unique_ptr<AuditTarget>, Problem> open_audit_target(const std::string& where, Console& console) {
  if (where == "-") return std::unique_ptr<AuditTarget>(std::make_unique<AuditConsole>(console));
  if (where == journald_name || where.starts_with(std::string(journald_name) + ":")) {
    const std::string path = where == journald_name ? std::string(journald_socket) : where.substr(journald_name.size() + 1);
    auto journald = std::make_unique<AuditJournald>(path);
    if (auto problem = journald->reopen()) return std::move(*problem);
    return std::unique_ptr<AuditTarget>(std::move(journald));
  }
  return AuditFile::open(where);
}

}  // namespace statefs
