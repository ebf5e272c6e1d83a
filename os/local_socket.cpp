#include "os/local_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "os/endpoint.h"

namespace statefs {
namespace {

constexpr mode_t socket_mode = 0666;
constexpr int backlog = 128;

// Nothing where the path is free, or was left behind by a daemon that is gone.
std::optional<Problem> make_way(const std::string& noun, const Endpoint& endpoint, const std::string& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) {
    if (errno == ENOENT) return std::nullopt;
    return Problem{noun + ": " + errno_text(errno)};
  }
  if (!S_ISSOCK(found.st_mode)) return Problem{noun + ": there is something that is no socket: remove it or take another path"};
  const Fd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!probe.valid()) return Problem{noun + ": " + errno_text(errno)};
  const int connected = ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&endpoint.address), endpoint.size);
  if (connected == 0 || errno == EAGAIN) return Problem{noun + ": another program listens there: end it or take another path"};
  if (errno != ECONNREFUSED) return Problem{noun + ": " + errno_text(errno)};
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return Problem{noun + ": left behind, and cannot be removed: " + errno_text(errno)};
  return std::nullopt;
}

}  // namespace

Result<LocalSocket, Problem> LocalSocket::listen(const std::string& path) {
  const std::string noun = "local socket " + printable(path);
  const auto endpoint = path_endpoint(path);
  if (!endpoint) return Problem{"--local " + endpoint.error().line};
  if (auto problem = make_way(noun, endpoint.value(), path)) return std::move(*problem);
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return Problem{noun + ": " + errno_text(errno)};
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&endpoint.value().address), endpoint.value().size) != 0) {
    return Problem{noun + ": " + errno_text(errno)};
  }
  struct stat made {};
  if (::lstat(path.c_str(), &made) != 0) return Problem{noun + ": " + errno_text(errno)};
  LocalSocket socket(path, std::move(fd), made.st_dev, made.st_ino);
  if (::chmod(path.c_str(), socket_mode) != 0) return Problem{noun + ": " + errno_text(errno)};
  if (::listen(socket.listener_.get(), backlog) != 0) return Problem{noun + ": " + errno_text(errno)};
  return socket;
}

LocalSocket::LocalSocket(LocalSocket&& other) noexcept
    : path_(std::exchange(other.path_, {})), listener_(std::move(other.listener_)), device_(other.device_), inode_(other.inode_) {}

LocalSocket::~LocalSocket() {
  struct stat found {};
  if (path_.empty() || ::lstat(path_.c_str(), &found) != 0) return;
  if (found.st_dev == device_ && found.st_ino == inode_) ::unlink(path_.c_str());
}

std::optional<std::uint32_t> peer_uid(int fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || size != sizeof peer) return std::nullopt;
  return peer.uid;
}

}  // namespace statefs
