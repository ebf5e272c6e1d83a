// The small values of os/: endpoints, clock timeouts, histogram, printable text.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "os/clock.h"
#include "os/endpoint.h"
#include "os/histogram.h"
#include "os/problem.h"

namespace statefs {
namespace {

TEST(EndpointText, IsReadAndWrittenTheSameForBothFamilies) {
  for (const char* text : {"127.0.0.1:7070", "0.0.0.0:0", "[::1]:7070", "[2001:db8::1]:65535", "[::]:1"}) {
    const auto endpoint = parse_endpoint(text);
    ASSERT_TRUE(endpoint.ok()) << text;
    EXPECT_EQ(to_text(endpoint.value()), text);
  }
}

TEST(EndpointText, IsRefusedWithoutPortOrWithAnythingButALiteralAddress) {
  for (const char* text :
       {"", ":", "7070", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:7070 ", "127.0.0.1:0x10",
        "localhost:7070", ":7070", "[]:1", "[::1:7070", "::1:7070", "[::1]7070", "[127.0.0.1]:7070", "1.2.3:4", "[::1]:"}) {
    EXPECT_FALSE(parse_endpoint(text).ok()) << text;
  }
}

TEST(PollTimeout, NeverEndsBeforeTheDeadline) {
  const Time now{1'000'000'000};
  EXPECT_EQ(poll_timeout_ms(never, now), -1);
  EXPECT_EQ(poll_timeout_ms(now, now), 0);
  EXPECT_EQ(poll_timeout_ms(Time{0}, now), 0);
  EXPECT_EQ(poll_timeout_ms(now + nanoseconds(1), now), 1);
  EXPECT_EQ(poll_timeout_ms(now + milliseconds(1), now), 1);
  EXPECT_EQ(poll_timeout_ms(now + microseconds(1001), now), 2);
  EXPECT_EQ(poll_timeout_ms(now + seconds(100'000), now), 60'000);
}

TEST(Printable, KeepsOneLineOneLine) {
  EXPECT_EQ(printable("/state/a"), "/state/a");
  EXPECT_EQ(printable(std::string_view("a\nb\x1b\x7f\\\0c", 8)), "a\\x0ab\\x1b\\x7f\\x5c\\x00c");
  EXPECT_EQ(printable("/state/\xc3\xa9"), "/state/\xc3\xa9") << "a well-formed key shows nothing but itself";
  EXPECT_EQ(printable("/state/\xc3\xa9/"), "/state/\xc3\xa9/");
  EXPECT_EQ(printable("/state/\xff"), "/state/\\xff");
  EXPECT_EQ(printable("/a\xe2\x80\xae"
                      "b"),
            "/a\\xe2\\x80\\xaeb")
      << "a bidirectional control";
  EXPECT_EQ(printable("\xc3\xa9"), "\\xc3\\xa9") << "no key, so nobody has judged its characters";
  EXPECT_EQ(printable(std::string(301, 'x')), std::string(300, 'x') + "...");
}

TEST(HistogramQuantiles, AreWithinTwoPercentAndNeverAboveTheLongest) {
  Histogram histogram;
  EXPECT_EQ(histogram.quantile_ns(1, 2), 0u);
  for (std::int64_t i = 1; i <= 100'000; ++i) histogram.add(i * 1'000);
  EXPECT_EQ(histogram.count(), 100'000u);
  EXPECT_EQ(histogram.max_ns(), 100'000'000u);
  const auto near = [](std::uint64_t seen, double expected) {
    return static_cast<double>(seen) >= expected * 0.999 && static_cast<double>(seen) <= expected * 1.02;
  };
  EXPECT_TRUE(near(histogram.quantile_ns(50, 100), 50e6)) << histogram.quantile_ns(50, 100);
  EXPECT_TRUE(near(histogram.quantile_ns(99, 100), 99e6)) << histogram.quantile_ns(99, 100);
  EXPECT_TRUE(near(histogram.quantile_ns(999, 1000), 99.9e6)) << histogram.quantile_ns(999, 1000);
  EXPECT_EQ(histogram.quantile_ns(1, 1), 100'000'000u);
}

TEST(HistogramQuantiles, HoldAnyDuration) {
  Histogram histogram;
  for (const std::int64_t ns : {std::int64_t{-1}, std::int64_t{0}, std::int64_t{1}, std::int64_t{63}, std::int64_t{64}, never.ns})
    histogram.add(ns);
  EXPECT_EQ(histogram.quantile_ns(1, 1), static_cast<std::uint64_t>(never.ns));
  EXPECT_EQ(histogram.quantile_ns(1, 3), 0u);
  EXPECT_EQ(histogram.quantile_ns(1, 2), 1u);
}

}  // namespace
}  // namespace statefs
