// A stream that breaks after every possible number of bytes, while requests are under way.
#include <gtest/gtest.h>

#include <map>

#include "tests/sim/trial.h"

namespace statefs::sim {
namespace {

const std::string root = "/state/shared/";

struct Conversation {
  std::vector<Completion> answers;
  std::vector<std::uint64_t> delivered;  // bytes of the first stream, by side it came from
};

// Four calls at once, so that a cut can find several under way; the stream is cut once, where asked for.
struct Caller final : CallUser {
  void completed(ClientProgram&, Completion completion) override { answers.emplace(completion.call, std::move(completion)); }
  std::map<CallId, Completion> answers;
};

constexpr std::size_t call_count = 5;

struct Result {
  std::map<CallId, Completion> answers;
  std::vector<AuditRecord> records;
  std::uint64_t delivered[2] = {0, 0};
  std::uint64_t connects = 0;
  std::unique_ptr<World> world;  // what the records point into
};

Result converse(std::optional<Side> cut_from, std::uint64_t cut_at) {
  Result result;
  result.world = std::make_unique<World>(1, Faults{});
  World& world = *result.world;
  world.add_server(world.add_node(), {world.enrol({1}), {}, {}});
  Caller caller;
  ClientProgram& client = world.add_client(world.add_node(), 0, caller);
  if (cut_from) client.cut_next_stream_after(*cut_from, cut_at);
  const auto submit = [&client](const RequestBody& request) { ASSERT_TRUE(client.submit(request, seconds(60)).ok()); };
  const std::string a = root + "a", b = root + "b";
  submit(PutRequest{{}, {}, as_bytes(a), 3, as_bytes("one"), {}});
  submit(GetRequest{{}, 0, 100, as_bytes(a)});
  submit(PutRequest{{}, {}, as_bytes(b), 3, as_bytes("two"), {}});
  submit(DeleteRequest{{}, {}, as_bytes(a)});
  submit(ListRequest{0, as_bytes(root), {}});
  EXPECT_TRUE(world.run_while_not([&] { return caller.answers.size() == call_count; }, 100'000));
  if (!cut_from) {
    const StreamEnd end = *client.stream_end();
    result.delivered[0] = world.network().stream(end).delivered_count(Side::connector);
    result.delivered[1] = world.network().stream(end).delivered_count(Side::acceptor);
  }
  result.connects = world.network().connect_count();
  client.crash();
  world.run_until(world.now() + seconds(1));
  result.answers = std::move(caller.answers);
  result.records = audit_in(world.trace());
  std::erase_if(result.records, [](const AuditRecord& record) { return record.kind != AuditKind::mutation; });
  return result;
}

void expect_once(const Result& result, const std::string& where) {
  const std::vector<std::tuple<CallId, Op, std::string>> mutations{{1, Op::put, root + "a"}, {3, Op::put, root + "b"}, {4, Op::del, root + "a"}};
  std::size_t recorded = 0;
  for (const auto& [id, op, key] : mutations) {
    const Completion& answer = result.answers.at(id);
    std::size_t executions = 0;
    for (const AuditRecord& record : result.records) executions += record.op == static_cast<std::uint8_t>(op) && record.key == key ? 1 : 0;
    recorded += executions;
    EXPECT_LE(executions, 1u) << where << ": executed twice";
    EXPECT_EQ(answer.result, CallResult::answered) << where << ": its session tells what became of it";
    EXPECT_EQ(executions, 1u) << where << ": answered, and not recorded";
  }
  EXPECT_EQ(recorded, result.records.size()) << where;
  // Reads are made again and always answered; nothing waits a minute.
  EXPECT_EQ(result.answers.at(2).result, CallResult::answered) << where;
  EXPECT_EQ(result.answers.at(5).result, CallResult::answered) << where;
  for (const auto& [id, answer] : result.answers) EXPECT_NE(answer.result, CallResult::timed_out) << where << " call " << id;
}

TEST(Reconnect, AtEveryByteOfAConversationExecutesNothingTwice) {
  const Result whole = converse(std::nullopt, 0);
  expect_once(whole, "uncut");
  ASSERT_EQ(whole.connects, 1u);
  std::size_t learnt = 0, answered = 0, positions = 0;
  for (const Side side : {Side::connector, Side::acceptor}) {
    const std::uint64_t size = whole.delivered[static_cast<std::size_t>(side)];
    ASSERT_GT(size, 200u);
    for (std::uint64_t at = 0; at < size; ++at) {
      const Result result = converse(side, at);
      expect_once(result, (side == Side::connector ? "request byte " : "answer byte ") + std::to_string(at));
      EXPECT_EQ(result.connects, 2u);
      for (const CallId id : {1u, 3u, 4u}) {
        const auto* const answer = std::get_if<MutationResponse>(&result.answers.at(id).response.body);
        ASSERT_NE(answer, nullptr);
        learnt += answer->replayed ? 1 : 0;
        answered += answer->replayed ? 0 : 1;
      }
      ++positions;
      if (::testing::Test::HasFailure()) FAIL() << "at byte " << at;
    }
  }
  EXPECT_GT(learnt, 100u);    // executed, and the answer was cut
  EXPECT_GT(answered, 100u);  // cut before it was executed, or after its answer
  EXPECT_GT(positions, 500u);
}

TEST(Reconnect, ClientsThatAreCutOffAgainAndAgainGetEveryReadAnswered) {
  Faults faults;
  faults.cut_per_write = {1, 6};
  faults.stream.cuts = {1, 1, 1, 1};
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    Trial trial(seed, faults);
    std::size_t learnt = 0;
    for (int i = 0; i < 40; ++i) {
      const Completion put = trial.put(root + "a", std::to_string(i));
      ASSERT_EQ(put.result, CallResult::answered);
      learnt += std::get<MutationResponse>(put.response.body).replayed ? 1 : 0;
      EXPECT_EQ(trial.get(root + "a").result, CallResult::answered);
    }
    EXPECT_GT(learnt, 0u);
    EXPECT_GT(trial.world.network().connect_count(), 5u);
    EXPECT_EQ(trial.records(AuditKind::mutation).size(), 40u) << "each PUT ran once";
  }
}

}  // namespace
}  // namespace statefs::sim
