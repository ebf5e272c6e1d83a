#include "os/endpoint.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>

#include <cerrno>
#include <charconv>
#include <cstring>

namespace statefs {
namespace {

template <typename Address>
Endpoint endpoint_of(const Address& address) {
  Endpoint endpoint;
  std::memcpy(&endpoint.address, &address, sizeof address);
  endpoint.size = sizeof address;
  return endpoint;
}

}  // namespace

Result<Endpoint, Problem> parse_endpoint(std::string_view text) {
  const Problem problem{"'" + printable(text) +
                        "' is no address: write ADDRESS:PORT with a literal address, as in 127.0.0.1:7070 or [::1]:7070"};
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return problem;
  const std::string_view digits = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc{} || end != digits.data() + digits.size()) return problem;
  std::string host(text.substr(0, colon));
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(port);
    if (::inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &address.sin6_addr) != 1) return problem;
    return endpoint_of(address);
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (::inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) return problem;
  return endpoint_of(address);
}

Result<Endpoint, Problem> path_endpoint(std::string_view path) {
  sockaddr_un address{};
  if (path.empty() || path.find('\0') != std::string_view::npos) return Problem{"'" + printable(path) + "' is no path of a socket"};
  if (path.size() >= sizeof address.sun_path) {
    return Problem{printable(path) + ": the path has " + std::to_string(path.size()) + " bytes, a socket can have " +
                   std::to_string(sizeof address.sun_path - 1) + ": take a shorter one"};
  }
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  return endpoint_of(address);
}

std::string to_text(const Endpoint& endpoint) {
  if (endpoint.address.ss_family == AF_UNIX) {
    sockaddr_un address{};
    std::memcpy(&address, &endpoint.address, sizeof address);
    return printable(address.sun_path);
  }
  char host[INET6_ADDRSTRLEN] = "?";
  if (endpoint.address.ss_family == AF_INET6) {
    sockaddr_in6 address{};
    std::memcpy(&address, &endpoint.address, sizeof address);
    ::inet_ntop(AF_INET6, &address.sin6_addr, host, sizeof host);
    return "[" + std::string(host) + "]:" + std::to_string(ntohs(address.sin6_port));
  }
  sockaddr_in address{};
  std::memcpy(&address, &endpoint.address, sizeof address);
  ::inet_ntop(AF_INET, &address.sin_addr, host, sizeof host);
  return std::string(host) + ":" + std::to_string(ntohs(address.sin_port));
}

Result<Fd, Problem> listen_on(const Endpoint& endpoint) {
  const auto about = [&endpoint](const char* step) {
    const std::string text = errno_text(errno);
    return Problem{"cannot listen on " + to_text(endpoint) + ": " + text + " (" + step + ")"};
  };
  Fd fd(::socket(endpoint.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return about("socket");
  const int on = 1;
  if (::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) return about("SO_REUSEADDR");
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&endpoint.address), endpoint.size) != 0) return about("bind");
  if (::listen(fd.get(), 1024) != 0) return about("listen");
  return fd;
}

Endpoint local_endpoint(const Fd& socket) {
  Endpoint endpoint;
  endpoint.size = sizeof endpoint.address;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&endpoint.address), &endpoint.size) != 0) endpoint.size = 0;
  return endpoint;
}

Result<Fd, int> start_connect(const Endpoint& endpoint) {
  Fd fd(::socket(endpoint.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return errno;
  if (endpoint.address.ss_family != AF_UNIX) set_no_delay(fd.get());
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&endpoint.address), endpoint.size) != 0 && errno != EINPROGRESS) {
    return errno;
  }
  return fd;
}

int connect_error(const Fd& socket) {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  return error;
}

void set_no_delay(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // only latency is lost where it fails
}

}  // namespace statefs
