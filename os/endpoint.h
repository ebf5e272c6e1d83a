// ENDPOINT: a literal IPv4 or IPv6 address with its port, or a path of a unix socket, as flags and messages write it. No
// names, no resolver.
//
//   `127.0.0.1:7070`, `[::1]:7070`, `/run/dsoftbusd.sock` -> ENDPOINT -> listen, connect
#pragma once

#include <sys/socket.h>

#include <string>
#include <string_view>

#include "core/result.h"
#include "os/fd.h"
#include "os/problem.h"

namespace statefs {

struct Endpoint {
  sockaddr_storage address{};
  socklen_t size = 0;
};

[[nodiscard]] Result<Endpoint, Problem> parse_endpoint(std::string_view text);
// A path of a unix socket: at most 107 bytes, without a zero byte.
[[nodiscard]] Result<Endpoint, Problem> path_endpoint(std::string_view path);
[[nodiscard]] std::string to_text(const Endpoint& endpoint);

// A listening, non-blocking socket. Port 0 lets the kernel choose; local_endpoint() tells.
[[nodiscard]] Result<Fd, Problem> listen_on(const Endpoint& endpoint);
[[nodiscard]] Endpoint local_endpoint(const Fd& socket);

// Starts a non-blocking connect, over TCP with TCP_NODELAY set; the socket becomes writable when it is done, and
// connect_error() then tells how (0: connected). A failure at once is an errno.
[[nodiscard]] Result<Fd, int> start_connect(const Endpoint& endpoint);
[[nodiscard]] int connect_error(const Fd& socket);

void set_no_delay(int fd);

}  // namespace statefs
