#include "sim/report.h"

#include <gtest/gtest.h>

#include "sim/json.h"
#include "sim/perfetto.h"
#include "sim/report_page.h"
#include "tests/sim/json_check.h"
#include "tests/sim/told_run.h"

namespace statefs::sim {
namespace {

constexpr std::string_view hostile_key = "/state/shared/</script><img src=x onerror=alert(1)>";

Story hostile_story() {
  ToldRun run(3);
  (void)run.put(hostile_key, "<!--<script>");
  (void)run.put("/state/shared/\xe2\x80\xa8", "U+2028");
  run.checks = {{"linearizable", 1, "entry 0 \"</script><b>\": & it's wrong"}};
  return run.tell();
}

std::size_t count_of(std::string_view text, std::string_view word) {
  std::size_t count = 0;
  for (std::size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) ++count;
  return count;
}

std::string_view data_of(std::string_view page) {
  constexpr std::string_view opening = "<script id=\"data\" type=\"application/json\">";
  const std::size_t from = page.find(opening) + opening.size();
  return page.substr(from, page.find("</script>", from) - from);
}

TEST(Json, EscapesWhateverCouldEndAStringOrAnElement) {
  std::string out;
  Json(out).text("a\"\\</script>&'\n\x7f\xe2\x80\xa8");
  EXPECT_EQ(out, "\"a\\u0022\\u005c\\u003c/script\\u003e\\u0026\\u0027\\u000a\\u007f\\u00e2\\u0080\\u00a8\"");
  EXPECT_TRUE(JsonCheck(out).holds());
}

TEST(Json, SetsItsCommasByItself) {
  std::string out;
  Json json(out);
  json.open_object().member("a", 1).name("b").open_array().close_array().name("c").open_array().number(-2).boolean(true).close_array();
  json.name("d").open_object().close_object().name("t").microseconds(-1'002'003).name("u").microseconds(5).close_object();
  EXPECT_EQ(out, R"({"a":1,"b":[],"c":[-2,true],"d":{},"t":-1002.003,"u":0.005})");
}

TEST(JsonCheck, RefusesWhatIsNoJson) {
  for (const std::string_view good : {"{}", "[1,-2.5,\"\\u00e9\"]", " {\"a\":[null,true]} "}) EXPECT_TRUE(JsonCheck(good).holds()) << good;
  for (const std::string_view bad : {"", "{", "[1,]", "{\"a\"}", "[01]", "\"\n\"", "\"\\x\"", "[] []", "{\"a\":1,}", "[1.]", "nul"}) {
    EXPECT_FALSE(JsonCheck(bad).holds()) << bad;
  }
}

TEST(Report, IsOnePageWithTheRunInIt) {
  const std::string page = render_report(hostile_story());
  EXPECT_TRUE(page.starts_with("<!doctype html>"));
  EXPECT_EQ(count_of(page, "</script>"), 2u) << "no key ends an element";
  EXPECT_EQ(count_of(page, "</style>"), 1u);
  EXPECT_EQ(count_of(page, "<img"), 0u);
  EXPECT_EQ(page.find("@DATA@"), std::string::npos);
  EXPECT_EQ(page.find("_HASH@"), std::string::npos);
  const std::string_view data = data_of(page);
  EXPECT_TRUE(JsonCheck(data).holds());
  EXPECT_NE(data.find("PUT OK /state/shared/\\u003c/script\\u003e\\u003cimg"), std::string_view::npos);
  EXPECT_NE(data.find("\\u005cxe2\\u005cx80\\u005cxa8"), std::string_view::npos) << "U+2028 is told in hex";
  for (const char c : page) ASSERT_TRUE(c == '\n' || (c >= 0x20 && c < 0x7f)) << "the page is ASCII";
}

TEST(Report, LetsNothingButItsOwnScriptRunAndAsksForNothing) {
  const std::string page = render_report(hostile_story());
  EXPECT_NE(page.find("default-src 'none'; script-src 'sha256-"), std::string::npos);
  EXPECT_EQ(page.find("unsafe-inline"), std::string::npos);
  for (const std::string_view asks : {"http://", "https://", "src=\"", "href=\"", "@import", "url(", "fetch(", "XMLHttpRequest", "innerHTML"}) {
    EXPECT_EQ(report_page().find(asks), std::string_view::npos) << asks;
  }
}

TEST(Perfetto, IsJsonWithEveryCallAsASpanAndEveryOpenedFrameAsAnArrow) {
  const Story story = hostile_story();
  const std::string trace = render_trace(story);
  EXPECT_TRUE(JsonCheck(trace).holds());
  std::size_t arrows = 0, calls = 0;
  for (const Row& row : story.rows) {
    arrows += row.to != no_node && row.end && row.kind != RowKind::call ? 1 : 0;
    calls += row.kind == RowKind::call ? 1 : 0;
  }
  EXPECT_GT(arrows, 4u);
  EXPECT_EQ(count_of(trace, "\"ph\":\"s\""), arrows);
  EXPECT_EQ(count_of(trace, "\"ph\":\"f\""), arrows);
  EXPECT_EQ(count_of(trace, "\"cat\":\"call\""), 2 * calls);
  EXPECT_EQ(count_of(trace, "\"ph\":\"b\""), count_of(trace, "\"ph\":\"e\""));
  EXPECT_EQ(count_of(trace, "VIOLATED linearizable"), 1u);
}

TEST(Perfetto, OfAnEmptyRunIsStillATrace) {
  EXPECT_TRUE(JsonCheck(render_trace({})).holds());
  EXPECT_TRUE(JsonCheck(data_of(render_report({}))).holds());
}

}  // namespace
}  // namespace statefs::sim
