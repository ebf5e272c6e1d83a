#include "os/stream_driver.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "os/endpoint.h"
#include "os/entropy.h"
#include "os/local_socket.h"
#include "os/problem.h"

namespace statefs {
namespace {

constexpr std::uint32_t stream_events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

// Bytes that arrived after the last one that mattered make the kernel answer close() with a reset, which can destroy
// the answer on its way. So what is there already is read and dropped, a bounded amount of it.
void close_gently(Fd& fd, Bytes& buffer) {
  ::shutdown(fd.get(), SHUT_WR);
  for (int i = 0; i < 4; ++i) {
    if (::recv(fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT) <= 0) break;
  }
  fd.reset();
}

}  // namespace

StreamDriver::StreamDriver(EventLoop& loop, Server& server, Store& store, AuditOutput& audit, Fd listener,
                           const StreamDriverLimits& limits)
    : loop_(loop),
      server_(server),
      store_(store),
      audit_(audit),
      limits_(limits),
      buffer_(limits.read_size) {
  STATEFS_CHECK(limits_.read_size <= limits::receive_size_max);
  open(doors_[0], std::move(listener));
}

void StreamDriver::open_local_door(Fd listener) { open(doors_[1], std::move(listener)); }

void StreamDriver::open(Door& door, Fd listener) {
  STATEFS_CHECK(!door.listener.valid());
  door.listener = std::move(listener);
  STATEFS_CHECK(loop_.add(door.listener.get(), EPOLLIN, door.tag));
}

void StreamDriver::ready(const epoll_event& event) {
  for (Door& door : doors_) {
    if (event.data.u64 != door.tag) continue;
    door.ready = true;
    return;
  }
  const auto id = static_cast<ConnectionId>(event.data.u64);
  STATEFS_CHECK(id < streams_.size());
  Stream& stream = streams_[id];
  if (!stream.fd.valid()) return;
  if ((event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) stream.hung_up = true;
  if ((event.events & (EPOLLHUP | EPOLLERR)) != 0) stream.broken = true;
  if ((event.events & EPOLLIN) != 0 || stream.hung_up) queue_for_reading(id);
  if ((event.events & EPOLLOUT) != 0 && stream.blocked) {
    stream.blocked = false;
    queue_for_writing(id);
  }
}

void StreamDriver::queue_for_reading(ConnectionId id) {
  Stream& stream = streams_[id];
  stream.readable = true;
  if (!stream.queued) readable_.push_back(id);
  stream.queued = true;
}

void StreamDriver::queue_for_writing(ConnectionId id) {
  Stream& stream = streams_[id];
  if (!stream.writable) writable_.push_back(id);
  stream.writable = true;
}

void StreamDriver::turn(Now now) {
  turn_at_once_ = false;
  read_ready(now);
  resume_accepting(now);
  for (Door& door : doors_) accept_some(door, now);
  server_.advance(now);
  audit_.export_from(store_, now);

  // Copied, because writing may touch connections again.
  const auto touched = server_.touched();
  scratch_.assign(touched.begin(), touched.end());
  for (const ConnectionId id : writable_) {
    streams_[id].writable = false;
    scratch_.push_back(id);
  }
  writable_.clear();
  for (const ConnectionId id : scratch_) write_once(id, now);
  for (const ConnectionId id : scratch_) close_if_finished(id);

  // What was held back may be wanted again now that output went out or time passed.
  std::size_t kept = 0;
  for (const ConnectionId id : held_back_) {
    const Stream& stream = streams_[id];
    if (!stream.fd.valid() || stream.gone) continue;
    if (server_.wants_input(id) || stream.broken) {
      readable_.push_back(id);
    } else {
      held_back_[kept++] = id;
    }
  }
  held_back_.resize(kept);
}

void StreamDriver::read_ready(Now now) {
  scratch_.swap(readable_);
  readable_.clear();
  for (const ConnectionId id : scratch_) {
    Stream& stream = streams_[id];
    if (!stream.fd.valid() || stream.gone) continue;
    if (!server_.wants_input(id) && !stream.broken) {
      held_back_.push_back(id);
      continue;
    }
    stream.queued = false;
    read_once(id, now);
    if (stream.readable) queue_for_reading(id);
  }
}

void StreamDriver::read_once(ConnectionId id, Now now) {
  Stream& stream = streams_[id];
  // Nobody reads the answers of a broken stream, so it must not keep its place by backpressure.
  if (stream.broken && !server_.wants_input(id)) return end_stream(id, now);
  const std::size_t wanted = std::min(buffer_.size(), server_.read_size(id));
  const ssize_t count = ::recv(stream.fd.get(), buffer_.data(), wanted, MSG_DONTWAIT);
  if (count > 0) {
    const auto size = static_cast<std::size_t>(count);
    if (size < wanted && !stream.hung_up) stream.readable = false;
    server_.receive(id, ByteView(buffer_).first(size), now);
    return;
  }
  if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
    stream.readable = errno == EINTR;
    return;
  }
  end_stream(id, now);
}

void StreamDriver::end_stream(ConnectionId id, Now now) {
  Stream& stream = streams_[id];
  stream.readable = false;
  if (!stream.gone) server_.ended(id, now);
  stream.gone = true;
}

void StreamDriver::resume_accepting(Now now) {
  if (accept_again_ == never || accept_again_ > now.monotonic) return;
  accept_again_ = never;
  for (const Door& door : doors_) {
    if (door.listener.valid()) loop_.modify(door.listener.get(), EPOLLIN, door.tag);
  }
}

void StreamDriver::accept_some(Door& door, Now now) {
  if (!door.ready || !door.listener.valid()) return;
  door.ready = false;  // level-triggered: the loop says so again while streams are waiting
  for (std::size_t i = 0; i < limits_.accepts_per_turn; ++i) {
    if (!accept_one(door, now)) return;
  }
}

std::optional<ConnectionId> StreamDriver::admit(const Door& door, int fd, Now now) {
  if (!door.local) {
    set_no_delay(fd);
    const auto accepted = server_.accept(random_secret(), now);
    return accepted ? std::optional(accepted.value()) : std::nullopt;
  }
  const auto uid = peer_uid(fd);
  if (!uid) return std::nullopt;
  const auto accepted = server_.accept_local(*uid, now);
  return accepted ? std::optional(accepted.value()) : std::nullopt;
}

bool StreamDriver::accept_one(Door& door, Now now) {
  Fd fd(::accept4(door.listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!fd.valid()) {
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) pause_accepting(errno, now);
    // Other errors belong to the one stream that was not accepted.
    return errno != EAGAIN && errno != EWOULDBLOCK && accept_again_ == never;
  }
  const auto admitted = admit(door, fd.get(), now);
  if (!admitted) return true;
  const ConnectionId id = *admitted;
  if (id >= streams_.size()) streams_.resize(id + 1);
  streams_[id] = Stream{};
  streams_[id].fd = std::move(fd);
  if (!loop_.add(streams_[id].fd.get(), stream_events, id)) {
    pause_accepting(errno, now);
    end_stream(id, now);
  }
  return true;
}

void StreamDriver::pause_accepting(int error_number, Now now) {
  accept_again_ = now.monotonic + limits_.accept_pause;
  for (const Door& door : doors_) {
    if (door.listener.valid()) loop_.modify(door.listener.get(), 0, door.tag);
  }
  if (warn_again_ <= now.monotonic) {
    warn_again_ = now.monotonic + limits_.accept_warning_interval;
    complain("dsoftbusd", "cannot accept streams now (" + errno_text(error_number) +
                              "): raise the limit on open files (ulimit -n); present streams are served");
  }
}

void StreamDriver::write_once(ConnectionId id, Now now) {
  Stream& stream = streams_[id];
  if (!stream.fd.valid() || stream.gone || stream.blocked) return;
  const ByteView out = server_.output(id);
  if (out.empty()) return;
  const ssize_t count = ::send(stream.fd.get(), out.data(), out.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK) return end_stream(id, now);
  const auto size = count > 0 ? static_cast<std::size_t>(count) : 0;
  stream.blocked = size < out.size();
  if (size > 0) server_.output_taken(id, size, now);
  if (!stream.blocked && !server_.output(id).empty()) queue_for_writing(id);
}

void StreamDriver::close_if_finished(ConnectionId id) {
  Stream& stream = streams_[id];
  if (!stream.fd.valid()) return;
  if (!server_.finished(id)) {
    if (stream.gone) turn_at_once_ = true;  // the server has yet to take leave of it
    return;
  }
  if (stream.gone) {
    stream.fd.reset();
  } else {
    close_gently(stream.fd, buffer_);
  }
  stream = Stream{};
  server_.released(id);
}

Time StreamDriver::deadline() const {
  if (turn_at_once_ || !readable_.empty() || !writable_.empty()) return Time{0};
  return earlier_of(earlier_of(server_.deadline(), audit_.deadline()), accept_again_);
}

void StreamDriver::stop_listening() {
  for (Door& door : doors_) door.listener.reset();
  accept_again_ = never;
}

void StreamDriver::close_all(Now now) {
  for (ConnectionId id = 0; id < streams_.size(); ++id) {
    Stream& stream = streams_[id];
    if (!stream.fd.valid()) continue;
    if (!stream.gone) server_.ended(id, now);
    stream = Stream{};
  }
}

}  // namespace statefs
