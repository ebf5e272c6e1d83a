// What a request costs before and after the store: frame and request decode, response encode, the audit record.
#include <benchmark/benchmark.h>

#include "core/audit.h"
#include "core/limits.h"
#include "core/request.h"
#include "core/response.h"
#include "os/text/audit_text.h"

namespace statefs {
namespace {

constexpr std::string_view key_40 = "/state/shared/house/lamp-kitchen/setting";
static_assert(key_40.size() == 40);

Bytes frame_of(const RequestBody& body) {
  Bytes out;
  encode_request({7, body}, out);
  return out;
}

void decode(benchmark::State& state, const Bytes& frame) {
  for (auto _ : state) {
    const auto header = decode_frame_header(frame);
    auto request = decode_request(header.value(), ByteView(frame).subspan(limits::frame_header_size));
    benchmark::DoNotOptimize(request);
  }
}

void decode_get(benchmark::State& state) { decode(state, frame_of(GetRequest{{}, 0, 65'536, as_bytes(key_40)})); }
void decode_put_100(benchmark::State& state) {
  const Bytes value(100, 1);
  decode(state, frame_of(PutRequest{.at = {}, .expected_revision = {}, .key = as_bytes(key_40), .value_size = 100, .value = value, .stage = {}}));
}

void encode(benchmark::State& state, const Response& response) {
  Bytes out;
  for (auto _ : state) {
    out.clear();
    encode_response(response, out);
    benchmark::DoNotOptimize(out.data());
  }
}

void encode_put_answer(benchmark::State& state) { encode(state, {7, 1, Status::ok, MutationResponse{false, 1, 1, 0, {1, {}}}}); }
void encode_get_answer_100(benchmark::State& state) {
  const Bytes value(100, 1);
  encode(state, {7, 2, Status::ok, GetResponse{1, 100, 0, value}});
}

AuditRecord record_of_put() {
  AuditRecord record;
  record.peer.kind = PeerKind::remote;
  record.peer.alias = "lamp";
  record.op = static_cast<std::uint8_t>(Op::put);
  record.key = key_40;
  record.key_size = static_cast<std::uint32_t>(key_40.size());
  record.wall_ns = 1'700'000'000'123'456'789;
  record.value_mac.fill(1);
  record.policy.fill(2);
  return record;
}

void audit_append(benchmark::State& state) {
  AuditChain chain(1, {});
  AuditRecord record = record_of_put();
  Bytes out;
  for (auto _ : state) {
    out.clear();
    chain.append(record, out);
    benchmark::DoNotOptimize(out.data());
  }
}

void audit_json(benchmark::State& state) {
  const AuditRecord record = record_of_put();
  std::string out;
  for (auto _ : state) {
    out.clear();
    append_audit_json(record, record.value_mac, out);
    benchmark::DoNotOptimize(out.data());
  }
}

void audit_console(benchmark::State& state) {
  const AuditRecord record = record_of_put();
  std::string out;
  for (auto _ : state) {
    out.clear();
    append_audit_console(record, record.value_mac, out);
    benchmark::DoNotOptimize(out.data());
  }
}

BENCHMARK(decode_get);
BENCHMARK(decode_put_100);
BENCHMARK(encode_put_answer);
BENCHMARK(encode_get_answer_100);
BENCHMARK(audit_append);
BENCHMARK(audit_json);
BENCHMARK(audit_console);

}  // namespace
}  // namespace statefs
