#include "tests/os/tearing_proxy.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "core/check.h"
#include "os/clock.h"

namespace statefs::test {
namespace {

constexpr Duration mute_time = milliseconds(4);  // then a muted stream is cut: its client may have nothing more to send

}  // namespace

TearingProxy::TearingProxy(const Endpoint& daemon, std::uint64_t seed, int cut_count_max)
    : daemon_(daemon),
      listener_(listen_on(parse_endpoint("127.0.0.1:0").value()).value()),
      stop_(::eventfd(0, EFD_CLOEXEC)),
      random_(seed, "tears"),
      cut_count_max_(cut_count_max),
      buffer_(65536) {
  endpoint_ = local_endpoint(listener_);
  thread_ = std::thread([this] { serve(); });
}

TearingProxy::~TearingProxy() {
  const std::uint64_t one = 1;
  STATEFS_CHECK(::write(stop_.get(), &one, sizeof one) == sizeof one);
  thread_.join();
}

void TearingProxy::serve() {
  for (;;) {
    std::vector<pollfd> watched{{stop_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}};
    Time next = never;
    for (const Stream& stream : streams_) {
      watched.push_back({stream.client.get(), POLLIN, 0});
      watched.push_back({stream.daemon.get(), POLLIN, 0});
      next = earlier_of(next, stream.ends_at);
    }
    ::poll(watched.data(), watched.size(), poll_timeout_ms(next, read_monotonic()));
    if (watched[0].revents != 0) return;
    const Time now = read_monotonic();
    std::size_t at = 2;
    std::erase_if(streams_, [&](Stream& stream) {
      const bool asks = watched[at++].revents != 0, answers = watched[at++].revents != 0;
      if (stream.ends_at <= now) return !cut(stream);
      return (asks && !pass(stream, false)) || (answers && !pass(stream, true));
    });
    if (watched[1].revents != 0) accept_one();
  }
}

void TearingProxy::accept_one() {
  Stream stream;
  stream.client = Fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  stream.daemon = Fd(::socket(daemon_.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!stream.client.valid() || ::connect(stream.daemon.get(), reinterpret_cast<const sockaddr*>(&daemon_.address), daemon_.size) != 0) return;
  set_no_delay(stream.client.get());
  set_no_delay(stream.daemon.get());
  // A handshake and a RESUME are about 900 bytes of both directions: one stream in five does not get that far.
  stream.size_left = random_.chance({1, 5}) ? random_.between(1, 900) : 900 + random_.below(8'000);
  stream.mute_size = random_.chance({1, 2}) ? random_.below(2'500) : 0;
  stream.resets = random_.chance({1, 3});
  if (random_.chance({1, 4})) stream.ends_at = read_monotonic() + milliseconds(static_cast<std::int64_t>(random_.between(2, 30)));
  streams_.push_back(std::move(stream));
}

bool TearingProxy::pass(Stream& stream, bool is_answer) {
  const bool whole = cuts_ >= cut_count_max_ && !stream.mute;
  const std::size_t size_max = whole ? buffer_.size() : std::min<std::size_t>(buffer_.size(), stream.size_left);
  const ssize_t count = ::read((is_answer ? stream.daemon : stream.client).get(), buffer_.data(), size_max);
  if (count <= 0) return false;
  const auto size = static_cast<std::size_t>(count);
  if (is_answer && stream.mute) {
    size_held_back_ += size;
  } else if (::send((is_answer ? stream.client : stream.daemon).get(), buffer_.data(), size, MSG_NOSIGNAL) != count) {
    return false;
  }
  if (whole) return true;
  stream.size_left -= size;
  if (stream.size_left == 0) return cut(stream);
  if (!stream.mute && stream.size_left < stream.mute_size) {
    stream.mute = true;
    stream.ends_at = read_monotonic() + mute_time;
  }
  return true;
}

bool TearingProxy::cut(Stream& stream) {
  if (cuts_ >= cut_count_max_ && !stream.mute) {
    stream.ends_at = never;
    return true;
  }
  ++cuts_;
  const linger at_once{1, 0};
  for (const Fd* fd : {&stream.client, &stream.daemon}) {
    if (stream.resets) ::setsockopt(fd->get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  return false;
}

}  // namespace statefs::test
