#include "os/client_link.h"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "os/entropy.h"

namespace statefs {
namespace {

constexpr std::size_t read_size = 64 * 1024;

ClientConfig completed(ClientConfig config, Duration connect_timeout) {
  config.connect_timeout = connect_timeout;
  config.backoff_seed = load_le<std::uint64_t>(random_bytes<8>().data());
  return config;
}

}  // namespace

ClientLink::ClientLink(const Suite& suite, std::shared_ptr<const DhKey> identity, const ClientConfig& config,
                       const Endpoint& endpoint, Duration connect_timeout)
    : client_(suite, std::move(identity), completed(config, connect_timeout)), endpoint_(endpoint) {}

bool ClientLink::open(Now now) {
  if (fd_.valid()) return false;
  auto opened = start_connect(endpoint_);
  if (!opened) {
    end(opened.error(), now);
    return false;
  }
  fd_ = std::move(opened).value();
  connecting_ = true;
  client_.connecting(now);
  return true;
}

void ClientLink::service(bool readable, bool writable, Now now) {
  if (!fd_.valid()) return flush(now);
  if (connecting_ && (readable || writable)) {
    if (const int error = connect_error(fd_); error != 0) return end(error, now);
    connecting_ = false;
    client_.connected(random_bytes<client_random_size>(), now);
    readable = false;
  }
  if (readable && !connecting_) read_once(now);
  flush(now);
}

void ClientLink::read_once(Now now) {
  static thread_local Bytes buffer(read_size);
  const ssize_t count = ::recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return;
  if (count <= 0) return end(0, now);
  client_.receive(ByteView(buffer).first(static_cast<std::size_t>(count)), now);
}

void ClientLink::flush(Now now) {
  client_.advance(now);
  if (connecting_ && client_.finished()) return end(ETIMEDOUT, now);
  if (!fd_.valid() || connecting_) return;
  const ByteView out = client_.output();
  if (!out.empty()) {
    const ssize_t count = ::send(fd_.get(), out.data(), out.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
      // What the server said before it hung up may still be there to be read, and says more than EPIPE.
      if (errno == EPIPE) read_once(now);
      if (fd_.valid()) end(0, now);
      return;
    }
    if (count > 0) client_.output_taken(static_cast<std::size_t>(count));
  }
  if (client_.finished()) end(0, now);
}

void ClientLink::end(int connect_error, Now now) {
  fd_.reset();
  connecting_ = false;
  client_.disconnected(now);
  client_.advance(now);
  last_end_ = {connect_error, client_.last_disconnect()};
  ++ends_;
}

void ClientLink::close(Now now) {
  if (fd_.valid()) end(0, now);
}

bool ClientLink::wants_write() const { return connecting_ || !client_.output().empty(); }

Time ClientLink::deadline() const { return client_.deadline(); }

}  // namespace statefs
