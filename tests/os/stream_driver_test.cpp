#include "os/stream_driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>

#include "os/client_stream.h"
#include "os/clock.h"
#include "tests/os/loopback_server.h"

namespace statefs {
namespace {

using test::LoopbackServer;
using test::test_secret;

class StreamDriverOnLoopback : public ::testing::Test {
 protected:
  ClientStream client(const LoopbackServer& server, std::uint8_t number = 10, Duration timeout = seconds(10)) {
    ClientConfig config;
    config.server = server.key();
    return ClientStream(*suite_, suite_->import(test_secret(number)), config, server.endpoint(), timeout);
  }
  static Status put(ClientStream& stream, const std::string& key, ByteView value) {
    PutRequest request;
    request.key = as_bytes(key);
    request.value = value;
    request.value_size = static_cast<std::uint32_t>(value.size());
    const auto completion = stream.call(request);
    return completion && completion.value().result == CallResult::answered ? completion.value().response.status
                                                                           : Status::io_error;
  }
  static Result<Bytes, Status> get(ClientStream& stream, const std::string& key) {
    GetRequest request;
    request.key = as_bytes(key);
    request.length = limits::value_size_max;
    const auto completion = stream.call(request);
    if (!completion || completion.value().result != CallResult::answered) return Status::io_error;
    const Response& response = completion.value().response;
    if (response.status != Status::ok) return response.status;
    const ByteView data = std::get<GetResponse>(response.body).data;
    return Bytes(data.begin(), data.end());
  }
  // A stream that speaks whatever the test says.
  static Fd raw(const LoopbackServer& server) {
    Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&server.endpoint().address), server.endpoint().size), 0);
    return fd;
  }
  static void send_raw(const Fd& fd, const Bytes& bytes) {
    EXPECT_EQ(::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  // Whether the other side ends the stream in time; what it says before is dropped.
  static bool ends(const Fd& fd, Duration limit = seconds(10)) {
    const Time deadline = read_monotonic() + limit;
    char buffer[4096];
    for (;;) {
      pollfd watched{fd.get(), POLLIN, 0};
      if (::poll(&watched, 1, poll_timeout_ms(deadline, read_monotonic())) != 1) return false;
      const ssize_t count = ::recv(fd.get(), buffer, sizeof buffer, 0);
      if (count <= 0) return count == 0 || errno == ECONNRESET;
    }
  }
  template <typename Condition>
  static bool eventually(Condition condition, Duration limit = seconds(10)) {
    const Time deadline = read_monotonic() + limit;
    while (!condition()) {
      if (read_monotonic() >= deadline) return false;
      ::poll(nullptr, 0, 2);
    }
    return true;
  }
  std::unique_ptr<Suite> suite_ = make_crypto_suite();
};

TEST_F(StreamDriverOnLoopback, CarriesEveryByteOfValuesOfEverySize) {
  LoopbackServer server({test_secret(10)});
  auto stream = client(server);
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{255}, std::size_t{4096}, limits::value_size_max - 1,
                                 limits::value_size_max}) {
    Bytes value(size);
    for (std::size_t i = 0; i < size; ++i) value[i] = static_cast<std::uint8_t>(i * 7 + i / 256);
    ASSERT_EQ(put(stream, "/state/shared/v", value), Status::ok) << size;
    const auto back = get(stream, "/state/shared/v");
    ASSERT_TRUE(back.ok()) << size;
    EXPECT_EQ(back.value(), value) << size;
  }
}

TEST_F(StreamDriverOnLoopback, TellsAnUnenrolledDeviceFromAWrongServerKeyAndFromNobody) {
  LoopbackServer server({test_secret(10)});
  auto stranger = client(server, 11);
  const auto refused = stranger.connect();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error(), StreamFailure::not_enrolled);

  ClientConfig config;
  config.server = suite_->import(test_secret(99))->public_key();
  ClientStream misled(*suite_, suite_->import(test_secret(10)), config, server.endpoint(), seconds(10));
  const auto misleading = misled.connect();
  ASSERT_FALSE(misleading.ok());
  EXPECT_EQ(misleading.error(), StreamFailure::not_accepted);

  Fd unused = listen_on(parse_endpoint("127.0.0.1:0").value()).value();
  const Endpoint nobody = local_endpoint(unused);
  unused.reset();
  ClientStream alone(*suite_, suite_->import(test_secret(10)), config, nobody, seconds(10));
  const auto missing = alone.connect();
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error(), StreamFailure::unreachable);
  EXPECT_EQ(alone.last_end().connect_error, ECONNREFUSED);
}

TEST_F(StreamDriverOnLoopback, ServesTheOthersWhileStreamsBringGarbage) {
  LoopbackServer server({test_secret(10)});
  auto stream = client(server);
  ASSERT_EQ(put(stream, "/state/shared/k", as_bytes("kept")), Status::ok);
  const std::vector<Bytes> garbage = {
      Bytes(1, 0), Bytes(2, 0xff), Bytes(50, 0), Bytes(65'537, 0xff), Bytes(200'000, 0x41), Bytes{0, 32, 1, 2, 3}, Bytes(3, 0),
  };
  std::vector<Fd> hostile;
  for (int round = 0; round < 5; ++round) {
    for (const Bytes& bytes : garbage) {
      hostile.push_back(raw(server));
      ::send(hostile.back().get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      const auto value = get(stream, "/state/shared/k");
      ASSERT_TRUE(value.ok());
      EXPECT_EQ(as_text(value.value()), "kept");
    }
  }
  // A complete message that is no message 1 ends its stream at once.
  Bytes message(2 + 48, 0x55);
  message[0] = 0;
  message[1] = 48;
  const Fd wrong = raw(server);
  send_raw(wrong, message);
  EXPECT_TRUE(ends(wrong));
  hostile.clear();
  EXPECT_TRUE(eventually([&] { return server.connections() == 1; })) << server.connections();
}

TEST_F(StreamDriverOnLoopback, BoundsHalfOpenStreamsAndEndsThemInTime) {
  ServerLimits limits;
  limits.half_open_max = 4;
  limits.handshake_timeout = milliseconds(400);
  LoopbackServer server({test_secret(10)}, limits);
  auto stream = client(server);
  ASSERT_TRUE(stream.connect().ok());
  std::vector<Fd> idle;
  for (int i = 0; i < 12; ++i) idle.push_back(raw(server));
  EXPECT_TRUE(eventually([&] { return server.connections() == 5; })) << server.connections();
  EXPECT_EQ(put(stream, "/state/shared/k", as_bytes("1")), Status::ok);
  for (const Fd& fd : idle) EXPECT_TRUE(ends(fd));
  EXPECT_TRUE(eventually([&] { return server.connections() == 1; })) << server.connections();
  auto later = client(server);
  EXPECT_TRUE(later.connect().ok());
}

TEST_F(StreamDriverOnLoopback, StopsReadingAPeerThatDoesNotReadAndServesTheOthers) {
  LoopbackServer server({test_secret(10)});
  auto stream = client(server);
  // A long key, so that the requests alone are more than one read takes and the rest waits in the socket.
  const std::string big = "/state/shared/" + std::string(limits::key_size_max - 14, 'k');
  ASSERT_EQ(put(stream, big, Bytes(limits::value_size_max, 7)), Status::ok);

  ClientConfig config;
  config.server = server.key();
  config.in_flight_max = 1'000;
  ClientLink greedy(*suite_, suite_->import(test_secret(10)), config, server.endpoint(), seconds(5));
  const auto step = [&greedy](bool reads) {
    const Now now = read_clock();
    pollfd watched{greedy.fd(), static_cast<short>((reads ? POLLIN : 0) | (greedy.wants_write() ? POLLOUT : 0)), 0};
    ::poll(&watched, 1, 5);
    greedy.service(reads && (watched.revents & POLLIN) != 0, (watched.revents & POLLOUT) != 0, now);
  };
  ASSERT_TRUE(greedy.open(read_clock()));
  ASSERT_TRUE(eventually([&] {
    step(true);
    return greedy.client().ready();
  }));
  GetRequest request;
  request.key = as_bytes(big);
  request.length = limits::value_size_max;
  constexpr std::size_t calls = 800;  // 50 MiB of answers: far more than sockets and server hold
  for (std::size_t i = 0; i < calls; ++i) ASSERT_TRUE(greedy.client().submit(request, never, read_monotonic()).ok());
  for (int i = 0; i < 100; ++i) step(false);

  EXPECT_EQ(put(stream, "/state/shared/small", as_bytes("1")), Status::ok);
  EXPECT_LT(server.buffered_size_max(), 3 * limits::output_size_max);
  const std::uint64_t turns = server.turns();
  ::poll(nullptr, 0, 200);
  EXPECT_LT(server.turns() - turns, 20u) << "a stream that is held back must not keep the loop busy";

  std::size_t answered = 0;
  ASSERT_TRUE(eventually(
      [&] {
        step(true);
        while (const auto completion = greedy.client().take_completion()) {
          if (completion->result != CallResult::answered || completion->response.status != Status::ok) return false;
          const ByteView data = std::get<GetResponse>(completion->response.body).data;
          answered += data.size() == limits::value_size_max && data[0] == 7 && data.back() == 7 ? 1 : 0;
        }
        return answered == calls;
      },
      seconds(60)))
      << answered;
}

TEST_F(StreamDriverOnLoopback, FreesTheStreamThatIsResetWhileItIsHeldBack) {
  LoopbackServer server({test_secret(10)});
  {
    auto stream = client(server);
    ASSERT_EQ(put(stream, "/state/shared/k", as_bytes("1")), Status::ok);
  }
  {
    const Fd fd = raw(server);
    const linger reset{1, 0};
    ASSERT_EQ(::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
    send_raw(fd, Bytes(10, 1));
  }
  EXPECT_TRUE(eventually([&] { return server.connections() == 0; })) << server.connections();
}

TEST_F(StreamDriverOnLoopback, GoesOnServingWhenDescriptorsRunOutAndAcceptsAgainLater) {
  LoopbackServer server({test_secret(10)});
  auto stream = client(server);
  ASSERT_TRUE(stream.connect().ok());
  std::vector<Fd> waiting;
  for (int i = 0; i < 3; ++i) waiting.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const Fd probe(::dup(0));
  rlimit none = before;
  none.rlim_cur = static_cast<rlim_t>(probe.get());
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  for (const Fd& fd : waiting) {
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&server.endpoint().address), server.endpoint().size), 0);
  }
  EXPECT_EQ(put(stream, "/state/shared/k", as_bytes("1")), Status::ok);
  const std::uint64_t turns = server.turns();
  ::poll(nullptr, 0, 300);
  EXPECT_LT(server.turns() - turns, 20u) << "a listener that cannot accept must not keep the loop busy";
  EXPECT_EQ(server.connections(), 1u);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(eventually([&] { return server.connections() == 4; })) << server.connections();
}

TEST_F(StreamDriverOnLoopback, ReportsAMutationWhoseAnswerWasLostAsUnknown) {
  // A server that admits, takes the request and hangs up: nobody can know.
  auto server = std::make_unique<LoopbackServer>(std::vector<SecretKey>{test_secret(10)});
  auto stream = client(*server, 10, seconds(2));
  ASSERT_EQ(put(stream, "/state/shared/before", as_bytes("1")), Status::ok);
  const std::vector<Bytes> records = server->stop();
  EXPECT_FALSE(records.empty());
  PutRequest request;
  request.key = as_bytes("/state/shared/k");
  const auto completion = stream.call(request);
  ASSERT_TRUE(completion.ok());
  EXPECT_EQ(completion.value().result, CallResult::outcome_unknown);
}

}  // namespace
}  // namespace statefs
