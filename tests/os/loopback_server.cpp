#include "tests/os/loopback_server.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>

#include "os/clock.h"

namespace statefs::test {
namespace {

constexpr EventTag stop_tag = StreamDriver::own_tags_end - 1;

}  // namespace

SecretKey test_secret(std::uint8_t number) {
  std::array<std::uint8_t, 32> bytes{};
  bytes.fill(number);
  return SecretKey(bytes);
}

LoopbackServer::LoopbackServer(const LoopbackOptions& options)
    : stop_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  const auto identity = suite_->import(test_secret(1));
  key_ = identity->public_key();
  PolicySource source;
  for (const SecretKey& peer : options.peers) {
    source.peers.push_back({suite_->import(peer)->public_key(), "node-" + std::to_string(source.peers.size() + 1)});
  }
  if (!options.local_path.empty()) source.locals.push_back({::geteuid(), options.local_rules, std::nullopt});
  MemoryStoreConfig config;
  config.node = key_;
  store_ = std::make_unique<MemoryStore>(config, read_clock());
  server_ = std::make_unique<Server>(*suite_, ServerKeys{identity, test_secret(2)}, Policy::create(source).value(), *store_, options.limits);
  auto listener = listen_on(parse_endpoint("127.0.0.1:0").value());
  endpoint_ = local_endpoint(listener.value());
  loop_ = std::make_unique<EventLoop>(EventLoop::open().value());
  STATEFS_CHECK(loop_->add(stop_.get(), EPOLLIN, stop_tag));
  driver_ = std::make_unique<StreamDriver>(*loop_, *server_, *store_, audit_, std::move(listener).value(), options.driver);
  if (!options.local_path.empty()) {
    local_.emplace(LocalSocket::listen(options.local_path).value());
    driver_->open_local_door(local_->take_listener());
  }
  thread_ = std::thread([this] { serve(); });
}

LoopbackServer::~LoopbackServer() {
  if (thread_.joinable()) (void)stop();
}

void LoopbackServer::serve() {
  for (bool stopping = false; !stopping;) {
    const auto events = loop_->wait(driver_->deadline());
    for (const epoll_event& event : events) {
      if (event.data.u64 == stop_tag) {
        stopping = true;
      } else {
        driver_->ready(event);
      }
    }
    driver_->turn(read_clock());
    connections_ = server_->connection_count();
    buffered_size_max_ = std::max<std::size_t>(buffered_size_max_, server_->buffered_size());
    ++turns_;
  }
  driver_->close_all(read_clock());
  server_->advance(read_clock());
  audit_.export_from(*store_, read_clock());
}

std::vector<Bytes> LoopbackServer::stop() {
  const std::uint64_t one = 1;
  STATEFS_CHECK(::write(stop_.get(), &one, sizeof one) == sizeof one);
  thread_.join();
  return std::move(audit_.records());
}

}  // namespace statefs::test
