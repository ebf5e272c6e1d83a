#include "sim/story.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/sim/told_run.h"

namespace statefs::sim {
namespace {

Faults tearing() {
  Faults faults;
  faults.stream.cuts = {1, 1, 1, 1};
  faults.cut_per_write = {1, 25};
  return faults;
}

TEST(Story, TellsOneCallFromRequestToRecord) {
  ToldRun run(3);
  ASSERT_EQ(run.put("/state/shared/a", "one").result, CallResult::answered);
  const Story story = run.tell();
  const auto calls = rows_of(story, RowKind::call);
  ASSERT_EQ(calls.size(), 1u);
  EXPECT_EQ(calls[0]->title, "PUT /state/shared/a");
  EXPECT_EQ(calls[0]->status, "OK");
  EXPECT_EQ(calls[0]->node, 1u);
  ASSERT_TRUE(calls[0]->end);
  const auto requests = rows_of(story, RowKind::request);
  const auto put = std::find_if(requests.begin(), requests.end(), [](const Row* row) { return row->op == "PUT"; });
  ASSERT_NE(put, requests.end());
  EXPECT_EQ(field_of(**put, "key"), "/state/shared/a");
  EXPECT_EQ(field_of(**put, "value"), "one");
  EXPECT_EQ(field_of(**put, "op"), "PUT");
  EXPECT_EQ((*put)->node, 1u);
  EXPECT_EQ((*put)->to, 0u);
  EXPECT_EQ((*put)->fate, "opened");
  const auto answers = rows_of(story, RowKind::response);
  const auto ok = std::find_if(answers.begin(), answers.end(), [](const Row* row) { return row->op == "PUT"; });
  ASSERT_NE(ok, answers.end());
  EXPECT_EQ((*ok)->title, "PUT OK /state/shared/a");
  EXPECT_EQ(field_of(**ok, "status"), "OK (0)");
  std::vector<std::string_view> links;
  for (const RowLink& link : (*ok)->links) links.push_back(link.name);
  EXPECT_EQ(links, (std::vector<std::string_view>{"request", "call", "appended", "record"}));
  EXPECT_EQ(story.rows[(*ok)->links[2].row].kind, RowKind::store);
  EXPECT_EQ(story.rows[(*ok)->links[3].row].kind, RowKind::record);
  EXPECT_EQ(field_of(story.rows[(*ok)->links[3].row], "key"), "/state/shared/a");
}

TEST(Story, HasEveryHandshakeAndEveryStateOfAConnection) {
  ToldRun run(3);
  (void)run.get("/state/shared/a");
  run.driver->break_stream();
  (void)run.get("/state/shared/a");
  const Story story = run.tell();
  EXPECT_EQ(rows_of(story, RowKind::handshake).size(), 6u);
  ASSERT_EQ(story.streams.size(), 2u);
  for (const StoryStream& stream : story.streams) {
    EXPECT_EQ(stream.connector, 1u);
    EXPECT_EQ(stream.acceptor, 0u);
    ASSERT_GE(stream.spans.size(), 3u);
    EXPECT_EQ(stream.spans[0].state, "opening");
    EXPECT_EQ(stream.spans[1].state, "handshake");
    EXPECT_EQ(stream.spans[2].state, "established");
  }
  EXPECT_EQ(story.streams[0].ending, "broken");
  EXPECT_EQ(story.streams[1].ending, "");
  ASSERT_EQ(story.nodes.size(), 2u);
  EXPECT_TRUE(story.nodes[0].accepts);
  EXPECT_TRUE(story.nodes[1].connects);
}

TEST(Story, TellsFramesWholeOverANetworkThatTearsAndCuts) {
  ToldRun run(11, tearing(), 3);
  WorkloadOptions options;
  options.value_size_max = 68'000;  // frames of more than one record, and values that are refused
  ASSERT_TRUE(run.run_workloads(2, options));
  const Story story = run.tell();
  std::size_t lost = 0, opened = 0, answered = 0;
  for (const Row& row : story.rows) {
    if (row.kind == RowKind::request || row.kind == RowKind::response) {
      EXPECT_EQ(row.title.find("malformed"), std::string::npos) << row.title;
      EXPECT_NE(row.node, no_node);
      EXPECT_NE(row.to, no_node);
      EXPECT_TRUE(row.node == 0 || row.to == 0) << "the server is at one end";
      ASSERT_TRUE(row.stream);
      EXPECT_EQ(story.streams[*row.stream].connector, row.node == 0 ? row.to : row.node);
      EXPECT_LE(row.start, row.arrived.value_or(never));
      EXPECT_LE(row.arrived.value_or(row.start), row.end.value_or(never));
      ++(row.fate == "opened" ? opened : lost);
    }
    if (row.kind == RowKind::call) ++answered;
  }
  EXPECT_EQ(answered, 80u);
  EXPECT_GT(opened, 160u);
  EXPECT_GT(lost, 0u) << "streams were cut";
  EXPECT_TRUE(std::is_sorted(story.rows.begin(), story.rows.end(), [](const Row& a, const Row& b) { return a.place < b.place; }));
}

TEST(Story, PointsAtWhatAFailureNames) {
  ToldRun run(3);
  (void)run.put("/state/shared/a", "one");
  (void)run.get("/state/shared/a");
  std::size_t completion = 0, call = 0;
  for (std::size_t i = 0; i < run.trace().entries().size(); ++i) {
    if (run.trace().entries()[i].kind == TraceKind::completion) completion = i;
    if (run.trace().entries()[i].kind == TraceKind::call) call = i;
  }
  const Story unjudged = run.tell();
  const std::uint64_t record = rows_of(unjudged, RowKind::record).back()->record;
  const std::uint64_t call_id = run.trace().entries()[call].argument;
  run.checks = {{"holds", 5, {}},
                {"linearizable", 5, "entry " + std::to_string(completion) + " \"/state/shared/a\": read what was there at no moment"},
                {"recorded", 5, "record " + std::to_string(record) + ": of no call"},
                {"completed", 5, "node 1 call " + std::to_string(call_id) + " is not"},
                {"bounds", 5, "a connection is left over"}};
  const Story story = run.tell();
  ASSERT_EQ(story.checks.size(), 5u);
  EXPECT_FALSE(story.checks[0].row);
  ASSERT_TRUE(story.checks[1].row);
  EXPECT_EQ(story.rows[*story.checks[1].row].title, "GET /state/shared/a") << "a completion is told by its call";
  ASSERT_TRUE(story.checks[2].row);
  EXPECT_EQ(story.rows[*story.checks[2].row].kind, RowKind::record);
  EXPECT_EQ(story.rows[*story.checks[2].row].record, record);
  EXPECT_EQ(story.checks[3].row, story.checks[1].row);
  EXPECT_FALSE(story.checks[4].row) << "it names no place";
}

// What was measured while a world ran, and not read from its trace, has a place there too.
TEST(Story, PointsAtTheEntryWhereALoadWasHighest) {
  ToldRun run(3);
  const std::string large(30'000, 'v');
  ASSERT_EQ(run.put("/state/shared/a", large).result, CallResult::answered);
  ASSERT_EQ(run.get("/state/shared/a").response.status, Status::ok);
  ASSERT_EQ(run.put("/state/shared/a", "one").result, CallResult::answered);
  std::vector<std::size_t> calls, completions;
  for (std::size_t i = 0; i < run.trace().entries().size(); ++i) {
    if (run.trace().entries()[i].kind == TraceKind::call) calls.push_back(i);
    if (run.trace().entries()[i].kind == TraceKind::completion) completions.push_back(i);
  }
  ASSERT_EQ(completions.size(), 3u);
  const SeenLoad& load = run.server->load();
  EXPECT_GT(load.output_size, large.size());
  EXPECT_GE(load.at.output_size, calls[1]);
  EXPECT_LT(load.at.output_size, completions[1]);
  EXPECT_GE(load.waiting_size, large.size());
  EXPECT_LT(load.at.waiting_size, completions[1]);
  EXPECT_EQ(load.at.overdue, no_place) << "nothing was";
  run.checks = {{"bounds", 5, "node 0" + behind(load.at.output_size) + ": so many bytes wait"}};
  EXPECT_TRUE(run.tell().checks[0].row);
}

TEST(Story, ShowsBytesThatAreNoFrameAsBytes) {
  ToldRun run(5);
  (void)run.get("/state/shared/a");
  // What a hostile peer may put on a wire: no length that can be right.
  run.world.trace().add(0, TraceKind::stream_bytes, 0, as_bytes(std::string_view("\x00\x01rubbish", 9)));
  const Story story = run.tell();
  const auto bytes = rows_of(story, RowKind::bytes);
  ASSERT_EQ(bytes.size(), 1u);
  EXPECT_EQ(bytes[0]->hex, "000172756262697368");
  EXPECT_EQ(bytes[0]->size, 9u);
  EXPECT_EQ(bytes[0]->node, 1u);
  EXPECT_EQ(bytes[0]->to, 0u);
}

TEST(Story, TellsOfACrashAndOfWhatItTook) {
  ToldRun run(3, {}, 1, seconds(60));
  ASSERT_EQ(run.put("/state/shared/a", "one").result, CallResult::answered);
  ASSERT_EQ(run.driver->call(SyncRequest{run.driver->epoch()}).result, CallResult::answered);
  ASSERT_EQ(run.put("/state/shared/a", "two").result, CallResult::answered);
  run.server->crash(0);
  run.server->restart();
  ASSERT_EQ(run.put("/state/shared/a", "six").result, CallResult::answered);
  const Story story = run.tell();
  std::vector<std::string> titles;
  for (const Row& row : story.rows) titles.push_back(row.title);
  const auto has = [&titles](std::string_view beginning) {
    return std::any_of(titles.begin(), titles.end(), [&](const std::string& each) { return each.starts_with(beginning); });
  };
  for (const std::string_view each : {"node down", "node up", "store lost all after ", "durable up to ", "appended ", "call 3 lost its write"}) {
    EXPECT_TRUE(has(each)) << each;
  }
  for (const Row& row : story.rows) {
    if (!row.title.starts_with("appended") || row.op != "PUT") continue;
    EXPECT_EQ(field_of(row, "effect"), "/state/shared/a, value of 3 bytes");
  }
}

TEST(Story, ToldTwiceIsTheSame) {
  ToldRun run(11, tearing(), 3);
  ASSERT_TRUE(run.run_workloads(1, {}));
  const Story one = run.tell();
  const Story two = run.tell();
  ASSERT_EQ(one.rows.size(), two.rows.size());
  for (std::size_t i = 0; i < one.rows.size(); ++i) EXPECT_EQ(one.rows[i].title, two.rows[i].title);
}

TEST(RowKind, OfAnEntryComesFromItsNameWhereNothingElseIsKnown) {
  EXPECT_EQ(row_kind_of("stream_closed"), RowKind::stream);
  EXPECT_EQ(row_kind_of("node_down"), RowKind::node);
  EXPECT_EQ(row_kind_of("durable"), RowKind::store);
  EXPECT_EQ(row_kind_of("store_lost"), RowKind::fault);
  EXPECT_EQ(row_kind_of("nobody_knows_this"), RowKind::other);
}

TEST(Fields, ShowHostileBytesAsPlainText) {
  EXPECT_EQ(shown(std::string_view("a\0\n\\\xe2\x80\xa8</b>", 11)), "a\\x00\\x0a\\x5c\\xe2\\x80\\xa8</b>");
  EXPECT_EQ(shown("abcdef", 4), "abcd ... (6 bytes)");
  EXPECT_EQ(op_title(3), "DELETE");
  EXPECT_EQ(op_title(99), "op 99");
}

}  // namespace
}  // namespace statefs::sim
