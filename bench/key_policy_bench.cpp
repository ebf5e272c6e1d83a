// KEY POLICY BENCH: the price of a verdict before the store is touched: frame header, key rules, policy.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "core/frame.h"
#include "core/key.h"
#include "core/policy.h"

namespace statefs {
namespace {

// 40 bytes, under one of the grants below.
const std::string plain_key = "/state/shared/app07/settings/brightness1";

std::vector<Rule> grants(std::int64_t count) {
  std::vector<Rule> rules;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t number = count == 1 ? 7 : i;
    const std::string digits = (number < 10 ? "0" : "") + std::to_string(number);
    rules.push_back({"/state/shared/app" + digits + "/", access_all, false});
  }
  return rules;
}
// The same number of grants, each of another length, so that many ends of segments are worth a look.
std::vector<Rule> grants_of_many_lengths(std::int64_t count) {
  std::vector<Rule> rules = grants(1);
  for (std::int64_t i = 1; i < count; ++i) rules.push_back({"/state/" + std::string(static_cast<std::size_t>(i), 'n') + "/", access_all, false});
  return rules;
}

void key_check(benchmark::State& state, const std::string& text) {
  for (auto _ : state) {
    std::string_view view = text;
    benchmark::DoNotOptimize(view);
    const Result<CanonicalKey, KeyError> key = CanonicalKey::from(as_bytes(view));
    benchmark::DoNotOptimize(key.ok());
  }
}
void policy_check(benchmark::State& state, const std::vector<Rule>& rules, const std::string& text) {
  const RuleSet set = RuleSet::compile(rules).value();
  const CanonicalKey key = CanonicalKey::from(as_bytes(text)).value();
  for (auto _ : state) {
    CanonicalKey asked = key;
    benchmark::DoNotOptimize(asked);
    Verdict verdict = set.check(asked, Access::get);
    benchmark::DoNotOptimize(verdict);
  }
}

void KeyCheck40Bytes(benchmark::State& state) { key_check(state, plain_key); }
void KeyCheck40BytesUtf8(benchmark::State& state) { key_check(state, "/state/shared/кухня/яркость"); }
void KeyCheck255Bytes(benchmark::State& state) { key_check(state, "/" + std::string(254, 'k')); }
void PolicyAllowed(benchmark::State& state) { policy_check(state, grants(state.range(0)), plain_key); }
void PolicyDenied(benchmark::State& state) { policy_check(state, grants(state.range(0)), "/state/shared/other/settings/brightness1"); }
void PolicyManyLengths(benchmark::State& state) { policy_check(state, grants_of_many_lengths(state.range(0)), plain_key); }

// What every request pays: header, key, verdict.
void FrameKeyPolicy(benchmark::State& state) {
  const RuleSet set = RuleSet::compile(grants(state.range(0))).value();
  Bytes frame;
  encode_frame_header({static_cast<std::uint32_t>(plain_key.size()), 2, 0, 0, 77}, frame);
  frame.insert(frame.end(), plain_key.begin(), plain_key.end());
  for (auto _ : state) {
    ByteView bytes = frame;
    benchmark::DoNotOptimize(bytes);
    const Result<FrameHeader, FrameError> header = decode_frame_header(bytes);
    if (!header.ok()) state.SkipWithError("header");
    const Result<CanonicalKey, KeyError> key = CanonicalKey::from(bytes.subspan(limits::frame_header_size, header.value().body_size));
    if (!key.ok()) state.SkipWithError("key");
    Verdict verdict = set.check(key.value(), Access::get);
    benchmark::DoNotOptimize(verdict);
  }
}

BENCHMARK(KeyCheck40Bytes);
BENCHMARK(KeyCheck40BytesUtf8);
BENCHMARK(KeyCheck255Bytes);
BENCHMARK(PolicyAllowed)->Arg(1)->Arg(8)->Arg(64);
BENCHMARK(PolicyDenied)->Arg(1)->Arg(8)->Arg(64);
BENCHMARK(PolicyManyLengths)->Arg(1)->Arg(64);
BENCHMARK(FrameKeyPolicy)->Arg(1)->Arg(8)->Arg(64);

}  // namespace
}  // namespace statefs
