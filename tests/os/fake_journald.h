// FAKE JOURNALD: a journald that nobody has to install: a socket under a path, read when the test says so.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "core/check.h"
#include "os/fd.h"

namespace statefs::test {

class FakeJournald {
 public:
  explicit FakeJournald(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    STATEFS_CHECK(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }
  FakeJournald(const FakeJournald&) = delete;
  FakeJournald& operator=(const FakeJournald&) = delete;
  ~FakeJournald() { stop(); }

  // Reads from now on, beside the test.
  void start_reading() {
    reading_ = true;
    thread_ = std::thread([this] {
      while (reading_) {
        pollfd watched{fd_.get(), POLLIN, 0};
        (void)::poll(&watched, 1, 10);
        read_all();
      }
    });
  }
  // What has come, one string for each datagram; it is not read any more beside the test.
  std::vector<std::string> take() {
    stop();
    read_all();
    return std::move(messages_);
  }

 private:
  void stop() {
    reading_ = false;
    if (thread_.joinable()) thread_.join();
  }
  void read_all() {
    char buffer[65536];
    for (ssize_t count = 0; (count = ::recv(fd_.get(), buffer, sizeof buffer, 0)) > 0;)
      messages_.emplace_back(buffer, static_cast<std::size_t>(count));
  }

  Fd fd_;
  std::vector<std::string> messages_;  // of the thread while there is one
  std::atomic<bool> reading_ = false;
  std::thread thread_;
};

}  // namespace statefs::test
