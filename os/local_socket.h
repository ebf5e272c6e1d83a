// LOCAL SOCKET: the socket file of the local door: made, kept to one daemon, and removed; who is at its other end.
//
//   path -> LOCAL SOCKET -> stream_driver.h (accepts)
//
// Anybody may connect (mode 0666): who is served, and with what, is decided by the uid that the kernel vouches for and by the
// policy. Who may not even try is kept out by the folder's permissions. A file that a dead daemon left behind is replaced, one
// that somebody listens on is not, nor is anything that is no socket.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "core/result.h"
#include "os/fd.h"
#include "os/problem.h"

namespace statefs {

class LocalSocket {
 public:
  [[nodiscard]] static Result<LocalSocket, Problem> listen(const std::string& path);
  LocalSocket(LocalSocket&& other) noexcept;
  LocalSocket& operator=(LocalSocket&&) = delete;
  ~LocalSocket();  // removes the file, if it is still this one

  [[nodiscard]] const std::string& path() const { return path_; }
  // The listening, non-blocking socket; once.
  [[nodiscard]] Fd take_listener() { return std::move(listener_); }

 private:
  LocalSocket(std::string path, Fd listener, dev_t device, ino_t inode)
      : path_(std::move(path)), listener_(std::move(listener)), device_(device), inode_(inode) {}
  std::string path_;  // empty: moved from
  Fd listener_;
  dev_t device_;
  ino_t inode_;
};

// The uid of the process that connected, as it was then (SO_PEERCRED); none where the kernel does not say.
[[nodiscard]] std::optional<std::uint32_t> peer_uid(int fd);

}  // namespace statefs
