#include "core/client.h"

#include <gtest/gtest.h>

#include "core/backoff.h"
#include "core/channel.h"
#include "tests/core/device.h"

namespace statefs {
namespace {

using namespace test;

constexpr std::string_view key_a = "/state/shared/a";

TEST(Client, WantsAConnectionOnlyWhileACallWaits) {
  Device device;
  Client client = device.client();
  EXPECT_FALSE(client.wants_connection(device.now().monotonic));
  ASSERT_TRUE(client.submit(get_of(key_a), never, device.now().monotonic).ok());
  EXPECT_TRUE(client.wants_connection(device.now().monotonic));
}

// Sends what the client has to say, and loses everything that comes back.
void lose_answers(Device& device, Device::Link& link) {
  link.client.advance(device.now());
  const Bytes up(link.client.output().begin(), link.client.output().end());
  link.client.output_taken(up.size());
  device.server().receive(link.id, up, device.now());
  device.cut(link);
}

TEST(Client, LearnsTheOutcomeOfAMutationWhoseAnswerWasLostWithoutSendingItAgain) {
  Device device;
  auto link = device.connect();
  ASSERT_EQ(device.call(link, put_of(key_a, "before")).response.status, Status::ok);
  const auto put = link.client.submit(put_of(key_a, "v"), never, device.now().monotonic);
  const auto get = link.client.submit(get_of(key_a), never, device.now().monotonic);
  (void)device.take_audit();
  lose_answers(device, link);
  EXPECT_FALSE(link.client.take_completion().has_value()) << "in doubt until the server's table is known";
  ASSERT_EQ(device.take_mutations().size(), 1u) << "it was executed";
  device.wait(limits::reconnect_backoff_max);
  device.reconnect(link);
  std::map<CallId, Completion> done;
  while (auto completion = link.client.take_completion()) done[completion->call] = std::move(*completion);
  ASSERT_TRUE(done.contains(put.value()) && done.contains(get.value()));
  EXPECT_EQ(done[put.value()].response.status, Status::ok);
  EXPECT_TRUE(mutation_of(done[put.value()]).replayed);
  EXPECT_EQ(text_of(std::get<GetResponse>(done[get.value()].response.body).data), "v");
  EXPECT_EQ(mutation_of(done[put.value()]).revision, std::get<GetResponse>(done[get.value()].response.body).revision);
  EXPECT_TRUE(device.take_mutations().empty()) << "and never again";
}

TEST(Client, SendsAgainAMutationThatTheServerNeverSaw) {
  Device device;
  auto link = device.connect();
  ASSERT_EQ(device.call(link, put_of(key_a, "before")).response.status, Status::ok);
  (void)device.take_audit();
  const auto put = link.client.submit(put_of(key_a, "v"), never, device.now().monotonic);
  link.client.advance(device.now());
  link.client.output_taken(link.client.output().size());  // lost on the way
  device.cut(link);
  device.wait(limits::reconnect_backoff_max);
  device.reconnect(link);
  const auto completion = link.client.take_completion();
  ASSERT_TRUE(completion.has_value());
  EXPECT_EQ(completion->call, put.value());
  EXPECT_EQ(completion->response.status, Status::ok);
  EXPECT_EQ(device.take_mutations().size(), 1u);
}

TEST(Client, SendsAMutationThatWasNeverSentAfterReconnecting) {
  Device device;
  Device::Link link{device.client()};
  ASSERT_TRUE(link.client.submit(put_of(key_a, "v"), never, device.now().monotonic).ok());
  link.client.disconnected(device.now());  // the stream could not be opened
  EXPECT_EQ(link.client.last_disconnect(), Disconnect::no_stream);
  EXPECT_FALSE(link.client.wants_connection(device.now().monotonic)) << "it backs off";
  device.wait(limits::reconnect_backoff_min);
  EXPECT_TRUE(link.client.wants_connection(device.now().monotonic));
  device.reconnect(link);
  const auto completion = link.client.take_completion();
  ASSERT_TRUE(completion.has_value());
  EXPECT_EQ(completion->response.status, Status::ok);
}

TEST(Client, GivesUpAStreamThatDoesNotOpenAndKeepsDeadlinesMeanwhile) {
  Device device;
  Device::Link link{device.client()};
  const Time due = device.now().monotonic + seconds(1);
  const auto put = link.client.submit(put_of(key_a, "v"), due, device.now().monotonic);
  link.client.connecting(device.now());
  EXPECT_FALSE(link.client.wants_connection(device.now().monotonic)) << "one is on its way";
  EXPECT_EQ(link.client.deadline(), due);
  device.wait(seconds(1));
  link.client.advance(device.now());
  const auto completion = link.client.take_completion();
  ASSERT_TRUE(completion.has_value());
  EXPECT_EQ(completion->call, put.value());
  EXPECT_EQ(completion->result, CallResult::timed_out);

  const Duration left = nanoseconds(limits::connect_timeout.ns - seconds(1).ns);
  const Time given_up = device.now().monotonic + left;
  EXPECT_EQ(link.client.deadline(), given_up);
  device.wait(nanoseconds(left.ns - 1));
  link.client.advance(device.now());
  EXPECT_FALSE(link.client.finished());
  device.wait(nanoseconds(1));
  link.client.advance(device.now());
  EXPECT_TRUE(link.client.finished());
  link.client.disconnected(device.now());
  EXPECT_EQ(link.client.last_disconnect(), Disconnect::no_stream);
}

TEST(Client, TakesBytesOfAMessageThatNeverEndsForNoSignOfLife) {
  Device device;
  auto link = device.connect();
  const std::array<std::uint8_t, 2> length{0xff, 0xff};
  link.client.receive(length, device.now());
  const Time began = device.now().monotonic;
  while (!link.client.finished() && device.now().monotonic - began < seconds(50)) {
    device.wait(seconds(1));
    link.client.receive(as_bytes("."), device.now());
    link.client.advance(device.now());
  }
  EXPECT_TRUE(link.client.finished());
  EXPECT_EQ(device.now().monotonic - began, limits::dead_peer_timeout);
  device.cut(link);
  EXPECT_EQ(link.client.last_disconnect(), Disconnect::timed_out);
}

TEST(Client, KeepsDeadlinesByWhatWasSent) {
  Device device;
  auto link = device.connect();
  ASSERT_EQ(device.call(link, put_of(key_a, "before")).response.status, Status::ok);
  const Time due = device.now().monotonic + milliseconds(5);
  const auto put = link.client.submit(put_of(key_a, "v"), due, device.now().monotonic);
  const auto get = link.client.submit(get_of(key_a), due, device.now().monotonic);
  link.client.advance(device.now());
  const auto late = link.client.submit(put_of(key_a, "w"), due, device.now().monotonic);
  EXPECT_LE(link.client.deadline(), due);
  device.wait(milliseconds(5));
  // Expiry precedes sending, so the last one is never sent.
  link.client.advance(device.now());
  std::map<CallId, CallResult> results;
  while (const auto completion = link.client.take_completion()) results[completion->call] = completion->result;
  EXPECT_EQ(results.at(put.value()), CallResult::outcome_unknown);
  EXPECT_EQ(results.at(get.value()), CallResult::timed_out);
  EXPECT_EQ(results.at(late.value()), CallResult::timed_out);
  device.pump(link);
  EXPECT_TRUE(link.open) << "an answer that comes too late is no error";
  EXPECT_FALSE(link.client.take_completion().has_value());
}

TEST(Client, TellsWhatOutcomeCanBeAskedOfAMutationThatWasSent) {
  Device device;
  auto link = device.connect();
  const Completion put = device.call(link, put_of(key_a, "v"));
  ASSERT_TRUE(put.question.has_value());
  EXPECT_EQ(put.question->sequence, 1u);
  const Completion asked = device.call(link, *put.question);
  EXPECT_EQ(std::get<OutcomeResponse>(asked.response.body).outcome, Outcome::applied);
  EXPECT_EQ(std::get<OutcomeResponse>(asked.response.body).index, test::mutation_of(put).index);
  EXPECT_FALSE(device.call(link, get_of(key_a)).question.has_value());
  // Sent, and over before its answer came.
  const Time due = device.now().monotonic + milliseconds(5);
  const auto late = link.client.submit(put_of(key_a, "w"), due, device.now().monotonic);
  ASSERT_TRUE(late.ok());
  link.client.advance(device.now());
  device.wait(milliseconds(5));
  const auto never_sent = link.client.submit(put_of(key_a, "x"), due, device.now().monotonic);
  ASSERT_TRUE(never_sent.ok());
  link.client.advance(device.now());
  std::map<CallId, std::optional<OutcomeRequest>> questions;
  while (const auto completion = link.client.take_completion()) questions[completion->call] = completion->question;
  ASSERT_TRUE(questions.at(late.value()).has_value());
  EXPECT_EQ(questions.at(late.value())->sequence, 2u);
  EXPECT_EQ(questions.at(late.value())->instance, put.question->instance);
  EXPECT_FALSE(questions.at(never_sent.value()).has_value());
}

// Found by a simulated world of slow links: a client whose slots were all in use asked to be called again at once, for ever.
TEST(Client, WaitsQuietlyWhileEverySlotIsInUse) {
  Device device;
  auto link = device.connect();
  ASSERT_EQ(device.call(link, put_of(key_a, "before")).response.status, Status::ok);
  for (std::size_t i = 0; i <= limits::slots_per_session; ++i) {
    ASSERT_TRUE(link.client.submit(put_of(key_a, "v"), never, device.now().monotonic).ok());
  }
  link.client.advance(device.now());
  EXPECT_GT(link.client.deadline(), device.now().monotonic);
}

// A server's end of the channel, to say what no server says.
class RawServer {
 public:
  explicit RawServer(Client& client, const Device& device)
      : client_(client), device_(device), channel_(Channel::responder(device.suite(), device.suite().import(secret(1)), secret(0x55))) {
    client_.connected(std::array<std::uint8_t, client_random_size>{7}, device.now());
    turn();
    turn();
  }
  // Takes what the client sent, and gives it what the handshake has to say.
  void turn() {
    client_.advance(device_.now());
    const Bytes up(client_.output().begin(), client_.output().end());
    client_.output_taken(up.size());
    ByteView rest(up);
    while (!rest.empty()) (void)channel_.receive(rest, heard_);
    const Bytes answer = channel_.take_handshake_output();
    client_.receive(answer, device_.now());
  }
  void say(const Response& response) {
    Bytes frame;
    Bytes sealed;
    encode_response(response, frame);
    ASSERT_TRUE(channel_.seal(frame, sealed));
    client_.receive(sealed, device_.now());
  }
  void greet() {
    HelloResponse hello;
    hello.version = 1;
    hello.features = feature_sessions;
    say({0, static_cast<std::uint8_t>(Op::hello), Status::ok, hello});
  }

 private:
  Client& client_;
  const Device& device_;
  Channel channel_;
  Bytes heard_;
};

TEST(Client, EndsAConnectionWhoseServerAnswersWhatWasNotAsked) {
  constexpr std::uint64_t rejoin_id = std::uint64_t{1} << 63;
  SessionResponse opened;
  opened.session = 5;
  opened.generation = 1;
  opened.slots.resize(4);
  const std::vector<Response> unasked{
      {rejoin_id, static_cast<std::uint8_t>(Op::open), Status::ok, opened},
      {rejoin_id, static_cast<std::uint8_t>(Op::outcome), Status::ok, OutcomeResponse{}},
      {rejoin_id, static_cast<std::uint8_t>(Op::resume), Status::fenced, SessionResponse{5, 9, 0, {}}},
      {99, static_cast<std::uint8_t>(Op::get), Status::not_found, GetResponse{}},
      {0, static_cast<std::uint8_t>(Op::hello), Status::ok, HelloResponse{}},
  };
  for (const Response& response : unasked) {
    Device device;
    Client client = device.client();
    RawServer server(client, device);
    server.greet();
    ASSERT_TRUE(client.ready());
    server.say(response);
    EXPECT_TRUE(client.finished()) << response.id << ' ' << int{response.op};
    EXPECT_EQ(client.last_disconnect(), Disconnect::protocol_error);
  }
}

TEST(Client, EndsAConnectionWhoseServerAnswersAnotherOpOrAnImpossibleTable) {
  constexpr std::uint64_t rejoin_id = std::uint64_t{1} << 63;
  SessionResponse used;
  used.session = 5;
  used.generation = 1;
  used.slots.resize(4);
  used.slots[0].sequence = 1;
  const std::vector<Response> wrong{
      {rejoin_id, static_cast<std::uint8_t>(Op::outcome), Status::ok, OutcomeResponse{}},
      {rejoin_id, static_cast<std::uint8_t>(Op::open), Status::ok, SessionResponse{}},
      {rejoin_id, static_cast<std::uint8_t>(Op::open), Status::ok, used},
      {rejoin_id, static_cast<std::uint8_t>(Op::open), Status::fenced, SessionResponse{5, ~std::uint32_t{0}, 0, {}}},
  };
  for (const Response& response : wrong) {
    Device device;
    Client client = device.client();
    RawServer server(client, device);
    server.greet();
    ASSERT_TRUE(client.submit(put_of(key_a, "v"), never, device.now().monotonic).ok());
    server.turn();  // it sends OPEN
    server.say(response);
    EXPECT_TRUE(client.finished()) << int{response.op} << ' ' << name_of(response.status);
  }
}

TEST(Client, TellsWhyAStreamEnded) {
  Device device;
  Device::Link stranger = device.connect(9);
  EXPECT_FALSE(stranger.open);
  EXPECT_EQ(stranger.client.last_disconnect(), Disconnect::not_admitted);

  ClientConfig config;
  config.server = device.peer_key(3)->public_key();
  Device::Link astray{Client(device.suite(), device.peer_key(0), config)};
  device.reconnect(astray);
  EXPECT_FALSE(astray.open);
  EXPECT_EQ(astray.client.last_disconnect(), Disconnect::handshake_ended);

  ClientConfig nobody;  // a server key of zeros
  Device::Link nowhere{Client(device.suite(), device.peer_key(0), nobody)};
  nowhere.client.connected(std::array<std::uint8_t, client_random_size>{1}, device.now());
  EXPECT_TRUE(nowhere.client.finished()) << "nothing is sent to a key that agrees on nothing";
  EXPECT_EQ(nowhere.client.last_disconnect(), Disconnect::handshake_failed);
}

TEST(Client, BoundsWhatIsOutstanding) {
  Device device;
  Client client = device.client();
  for (std::size_t i = 0; i < limits::client_calls_max; ++i) {
    ASSERT_TRUE(client.submit(get_of(key_a), never, device.now().monotonic).ok());
  }
  const auto over = client.submit(get_of(key_a), never, device.now().monotonic);
  ASSERT_FALSE(over.ok());
  EXPECT_EQ(over.error(), SubmitError::queue_full);
}

TEST(Client, RefusesARequestThatFitsNoFrame) {
  Device device;
  Client client = device.client();
  const std::string value(limits::frame_body_size_max, 'x');
  const auto refused = client.submit(put_of(key_a, value), never, device.now().monotonic);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error(), SubmitError::too_large);
}

TEST(Client, CompletesManyCallsInFlight) {
  Device device;
  auto link = device.connect();
  std::set<CallId> open;
  for (int i = 0; i < 500; ++i) {
    const std::string value = std::to_string(i);
    const auto id = link.client.submit(put_of("/state/shared/" + value, value), never, device.now().monotonic);
    ASSERT_TRUE(id.ok());
    open.insert(id.value());
  }
  device.pump(link);
  while (const auto completion = link.client.take_completion()) {
    EXPECT_EQ(completion->response.status, Status::ok);
    EXPECT_EQ(open.erase(completion->call), 1u);
  }
  EXPECT_TRUE(open.empty());
  EXPECT_EQ(link.client.outstanding(), 0u);
}

TEST(Backoff, DoublesToItsMaximumWithJitterInTheUpperHalf) {
  Backoff backoff(milliseconds(50), seconds(10), 1);
  std::int64_t whole = milliseconds(50).ns;
  for (int i = 0; i < 40; ++i) {
    const std::int64_t wait = backoff.next().ns;
    EXPECT_GE(wait, whole / 2);
    EXPECT_LE(wait, whole);
    whole = std::min(whole * 2, seconds(10).ns);
  }
  backoff.succeeded();
  EXPECT_LE(backoff.next().ns, milliseconds(50).ns);
}

}  // namespace
}  // namespace statefs
