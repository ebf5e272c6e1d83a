#include "tests/os/cutting_proxy.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/check.h"

namespace statefs::test {

CuttingProxy::CuttingProxy(const Endpoint& daemon, const Plan& plan)
    : daemon_(daemon),
      listener_(listen_on(parse_endpoint("127.0.0.1:0").value()).value()),
      stop_(::eventfd(0, EFD_CLOEXEC)),
      plan_(plan) {
  endpoint_ = local_endpoint(listener_);
  thread_ = std::thread([this] { serve(); });
}

CuttingProxy::~CuttingProxy() {
  const std::uint64_t one = 1;
  STATEFS_CHECK(::write(stop_.get(), &one, sizeof one) == sizeof one);
  thread_.join();
}

// False when the test is over.
bool CuttingProxy::wait_readable(const Fd& one, const Fd* other, bool readable[2]) const {
  pollfd watched[3] = {{stop_.get(), POLLIN, 0}, {one.get(), POLLIN, 0}, {other != nullptr ? other->get() : -1, POLLIN, 0}};
  STATEFS_CHECK(::poll(watched, 3, -1) > 0);
  readable[0] = watched[1].revents != 0;
  readable[1] = watched[2].revents != 0;
  return watched[0].revents == 0;
}

void CuttingProxy::serve() {
  bool readable[2];
  while (wait_readable(listener_, nullptr, readable)) {
    const Fd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!client.valid() || (plan_.closes_later && cuts_ >= plan_.cut_count)) continue;
    const Fd daemon(::socket(daemon_.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(daemon.get(), reinterpret_cast<const sockaddr*>(&daemon_.address), daemon_.size) == 0) pass(client, daemon);
  }
}

void CuttingProxy::pass(const Fd& client, const Fd& daemon) {
  char buffer[65536];
  int answers = 0;  // each comes in a piece of its own, where one is asked for at a time
  std::size_t passed = 0;
  bool cutting = false;
  bool readable[2];
  while (wait_readable(client, &daemon, readable)) {
    for (const int from : {0, 1}) {
      if (!readable[from]) continue;
      const ssize_t count = ::read(from == 0 ? client.get() : daemon.get(), buffer, sizeof buffer);
      // Closed only when the daemon has answered, so that the request surely was carried out. All of it has to pass until then:
      // what was read of the client may have been a part of a frame.
      if (count <= 0 || (cutting && from == 1)) return;
      if (plan_.damages && from == 1 && answers >= plan_.answers_passed && cuts_ < plan_.cut_count) {
        buffer[count - 1] = static_cast<char>(buffer[count - 1] ^ 1);
        ++cuts_;
      }
      if (::send(from == 0 ? daemon.get() : client.get(), buffer, static_cast<std::size_t>(count), MSG_NOSIGNAL) != count) return;
      answers += from;
      passed += static_cast<std::size_t>(count);
      const bool enough = plan_.bytes_passed != 0 ? passed >= plan_.bytes_passed : answers >= plan_.answers_passed;
      if (cutting || plan_.damages || from != 0 || !enough || cuts_ >= plan_.cut_count) continue;
      ++cuts_;
      cutting = true;
    }
  }
}

}  // namespace statefs::test
