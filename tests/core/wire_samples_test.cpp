#include "tests/core/wire_samples.h"

#include <gtest/gtest.h>

#include <set>

namespace statefs {
namespace {

constexpr std::string_view key = "/state/shared/lamp";

AuditHead sample_head() { return {0x0000'0501'0203'0405, counted<32>(0xa0)}; }
SlotRef sample_slot() { return {0x1112131415161718, 0x2122232425262728, 0x31323334, 0x4142}; }

// Appends `name=value` pairs; the two describe() functions share it.
class Fields {
 public:
  Fields& operator()(std::string_view name, std::uint64_t value) { return text(name, std::to_string(value)); }
  Fields& operator()(std::string_view name, ByteView value) { return text(name, to_hex(value)); }
  Fields& operator()(std::string_view name, const std::optional<std::uint64_t>& value) {
    return text(name, value ? std::to_string(*value) : "none");
  }
  Fields& operator()(std::string_view name, const AuditHead& head) {
    return (*this)(name, head.index)(std::string(name) + "_hash", ByteView(head.hash));
  }
  Fields& operator()(std::string_view name, const SlotRef& at) {
    return (*this)(name, at.session)("sequence", at.sequence)("generation", at.generation)("slot", at.slot);
  }
  [[nodiscard]] const std::string& str() const { return out_; }

 private:
  Fields& text(std::string_view name, std::string_view value) {
    out_.append(name).append("=").append(value).append(" ");
    return *this;
  }
  std::string out_;
};

struct DescribeRequest {
  Fields& out;
  void operator()(const PutRequest& v) const {
    out("put", v.at)("expected", v.expected_revision)("key", v.key)("value_size", v.value_size)("value", v.value);
    if (v.stage) out("stage", v.stage->stage)("total", v.stage->total_size)("digest", ByteView(v.stage->digest));
  }
  void operator()(const GetRequest& v) const {
    out("get_revision", v.revision)("offset", v.offset)("length", v.length)("key", v.key);
  }
  void operator()(const DeleteRequest& v) const { out("del", v.at)("expected", v.expected_revision)("key", v.key); }
  void operator()(const ListRequest& v) const { out("list_limit", v.limit)("prefix", v.prefix)("cursor", v.cursor); }
  void operator()(const SyncRequest& v) const { out("sync_epoch", v.epoch); }
  void operator()(const HelloRequest& v) const {
    out("hello_version", v.version)("features", v.features)("store", ByteView(v.store))("epoch", v.epoch)("head", v.head);
  }
  void operator()(const OpenRequest& v) const { out("open", ByteView(v.instance))("generation", v.generation); }
  void operator()(const ResumeRequest& v) const { out("resume", ByteView(v.instance))("generation", v.generation); }
  void operator()(const CloseRequest& v) const { out("close", v.session)("generation", v.generation); }
  void operator()(const OutcomeRequest& v) const {
    out("outcome", ByteView(v.instance))("sequence", v.sequence)("slot", v.slot);
  }
  void operator()(const StageRequest& v) const {
    out("stage", v.stage)("total", v.total_size)("offset", v.offset)("key", v.key)("chunk_size", v.chunk_size);
    out("chunk", v.chunk);
  }
};

struct DescribeResponse {
  Fields& out;
  void operator()(const EmptyResponse&) const { out("empty", std::uint64_t{1}); }
  void operator()(const MutationResponse& v) const {
    out("mutation_index", v.index)("revision", v.revision)("replayed", v.replayed ? 1u : 0u)("retry", v.retry_after_ms);
    out("head", v.head);
  }
  void operator()(const GetResponse& v) const {
    out("get_revision", v.revision)("total", v.total_size)("retry", v.retry_after_ms)("data", v.data);
  }
  void operator()(const ListResponse& v) const {
    out("list_more", v.has_more ? 1u : 0u)("retry", v.retry_after_ms);
    for (const ListEntry& entry : v.entries) out("revision", entry.revision)("size", entry.size)("key", entry.key);
  }
  void operator()(const SyncResponse& v) const {
    out("sync_epoch", v.epoch)("durable", v.durable_index)("retry", v.retry_after_ms)("head", v.head);
  }
  void operator()(const HelloResponse& v) const {
    out("hello_version", v.version)("comparison", static_cast<std::uint64_t>(v.comparison))("features", v.features);
    out("key_max", v.key_size_max)("value_max", v.value_size_max)("total_max", v.total_value_size_max);
    out("list_max", v.list_entries_max)("slots", v.slots_per_session)("sessions", v.sessions_per_key);
    out("keepalive", v.keepalive_ms)("store", ByteView(v.store))("epoch", v.epoch)("last", v.last_index);
    out("durable", v.durable_index)("head", v.head);
  }
  void operator()(const SessionResponse& v) const {
    out("session", v.session)("generation", v.generation)("retry", v.retry_after_ms);
    for (const SlotState& slot : v.slots) {
      out("sequence", slot.sequence)("index", slot.index)("revision", slot.revision);
      out("status", static_cast<std::uint64_t>(slot.status));
    }
  }
  void operator()(const OutcomeResponse& v) const {
    out("outcome", static_cast<std::uint64_t>(v.outcome))("recorded", static_cast<std::uint64_t>(v.recorded));
    out("retry", v.retry_after_ms)("index", v.index)("revision", v.revision);
  }
  void operator()(const StageResponse& v) const { out("staged", v.staged_size)("retry", v.retry_after_ms); }
};

std::vector<RequestSample> make_request_samples() {
  PutRequest put{.at = {}, .expected_revision = {}, .key = as_bytes(key), .value_size = 2, .value = as_bytes("on"), .stage = {}};
  PutRequest put_slot = put;
  put_slot.at = sample_slot();
  put_slot.expected_revision = 0x5152535455565758;
  PutRequest put_absent = put;
  put_absent.expected_revision = 0;
  put_absent.value_size = 0;
  put_absent.value = {};
  PutRequest put_staged = put_slot;
  put_staged.stage = StageCommit{0x6162636465666768, 0x100000, counted<32>(0xc0)};
  const AuditHead head = sample_head();
  return {
      {"put", {1, put}},
      {"put_in_slot_if_revision", {0x0102030405060708, put_slot}},
      {"put_empty_if_absent", {3, put_absent}},
      {"put_staged", {4, put_staged}},
      {"get", {5, GetRequest{{}, 0, 65536, as_bytes(key)}}},
      {"get_pinned_range", {6, GetRequest{0x5152535455565758, 0x10000, 0x8000, as_bytes(key)}}},
      {"delete", {7, DeleteRequest{{}, {}, as_bytes(key)}}},
      {"delete_in_slot_if_revision", {8, DeleteRequest{sample_slot(), 0x5152535455565758, as_bytes(key)}}},
      {"list", {9, ListRequest{0, as_bytes("/state/shared/"), {}}}},
      {"list_from_cursor", {10, ListRequest{100, as_bytes("/state/shared/"), as_bytes(key)}}},
      {"sync", {11, SyncRequest{5}}},
      {"hello_first", {12, HelloRequest{1, 0, {}, 0, {}}}},
      {"hello_with_head", {13, HelloRequest{1, 3, counted<16>(0x70), 5, head}}},
      {"open", {14, OpenRequest{counted<16>(0x80), 1}}},
      {"resume", {15, ResumeRequest{counted<16>(0x80), 2}}},
      {"close", {16, CloseRequest{0x1112131415161718, 2}}},
      {"outcome", {17, OutcomeRequest{counted<16>(0x80), 0x2122232425262728, 7}}},
      {"stage", {18, StageRequest{0x6162636465666768, 0x100000, 0x10000, as_bytes(key), 5, as_bytes("chunk")}}},
  };
}

std::vector<ResponseSample> make_response_samples() {
  const auto op = [](Op value) { return static_cast<std::uint8_t>(value); };
  const AuditHead head = sample_head();
  const std::uint64_t revision = 0x0000'0501'0203'0406;
  const HelloResponse hello{.version = 1, .comparison = HeadComparison::same, .features = 3, .key_size_max = 255,
                            .value_size_max = 65536, .total_value_size_max = 1048576, .list_entries_max = 256,
                            .slots_per_session = 8, .sessions_per_key = 4, .keepalive_ms = 15000, .store = counted<16>(0x70),
                            .epoch = 5, .last_index = revision, .durable_index = head.index, .head = head};
  HelloResponse refused = hello;  // over a damaged store: of it, nothing is told
  refused.comparison = HeadComparison::none;
  refused.store = {};
  refused.epoch = refused.last_index = refused.durable_index = 0;
  refused.head = {};
  const std::vector<ListEntry> entries{{revision, 2, as_bytes(key)}, {revision + 1, 0x10000, as_bytes("/state/shared/p/q")}};
  const std::vector<SlotState> slots{{9, revision, revision, Status::ok}, {0, 0, 0, Status::ok},
                                     {4, revision + 2, 0, Status::access_denied}};
  return {
      {"put_ok", {1, op(Op::put), Status::ok, MutationResponse{false, revision, revision, 0, head}}},
      {"put_replayed", {2, op(Op::put), Status::ok, MutationResponse{true, revision, revision, 0, head}}},
      {"put_denied", {3, op(Op::put), Status::access_denied, MutationResponse{false, revision, 0, 0, head}}},
      {"put_overloaded", {4, op(Op::put), Status::overloaded, MutationResponse{false, 0, 0, 250, {}}}},
      {"delete_ok", {5, op(Op::del), Status::ok, MutationResponse{false, revision, 0, 0, head}}},
      {"get_ok", {6, op(Op::get), Status::ok, GetResponse{revision, 2, 0, as_bytes("on")}}},
      {"get_denied", {7, op(Op::get), Status::access_denied, GetResponse{}}},
      {"list_ok", {8, op(Op::list), Status::ok, ListResponse{true, 0, entries}}},
      {"list_empty", {9, op(Op::list), Status::ok, ListResponse{}}},
      {"sync_ok", {10, op(Op::sync), Status::ok, SyncResponse{5, head.index, 0, head}}},
      {"sync_epoch_changed", {11, op(Op::sync), Status::epoch_changed, SyncResponse{6, head.index, 0, head}}},
      {"hello_ok", {12, op(Op::hello), Status::ok, hello}},
      {"open_ok", {13, op(Op::open), Status::ok, SessionResponse{0x1112131415161718, 1, 0, slots}}},
      {"resume_fenced", {14, op(Op::resume), Status::fenced, SessionResponse{0x1112131415161718, 4, 0, {}}}},
      {"close_ok", {15, op(Op::close), Status::ok, SessionResponse{0x1112131415161718, 2, 0, slots}}},
      {"outcome_refused", {16, op(Op::outcome), Status::ok, OutcomeResponse{Outcome::refused, Status::revision_conflict, 0, revision, 0x0102}}},
      {"stage_ok", {17, op(Op::stage), Status::ok, StageResponse{0x10005, 0}}},
      {"put_malformed", {18, op(Op::put), Status::malformed, EmptyResponse{}}},
      {"unknown_op_unsupported", {19, 0x7f, Status::unsupported, EmptyResponse{}}},
      {"hello_io_error", {20, op(Op::hello), Status::io_error, refused}},
  };
}

}  // namespace

const std::vector<RequestSample>& request_samples() {
  static const std::vector<RequestSample> samples = make_request_samples();
  return samples;
}

const std::vector<ResponseSample>& response_samples() {
  static const std::vector<ResponseSample> samples = make_response_samples();
  return samples;
}

const std::vector<Status>& all_statuses() {
  static const std::vector<Status> statuses{
      Status::ok,           Status::not_found,     Status::access_denied,   Status::value_too_large,   Status::key_too_long,
      Status::invalid_key,  Status::malformed,     Status::io_error,        Status::unsupported,       Status::revision_conflict,
      Status::revision_changed, Status::epoch_changed, Status::stage_missing, Status::in_progress,     Status::false_retry,
      Status::sequence_old, Status::sequence_gap,  Status::session_unknown, Status::fenced,            Status::session_limit,
      Status::overloaded,   Status::audit_unavailable, Status::no_space,    Status::quota_exceeded,    Status::digest_mismatch};
  return statuses;
}

std::string describe(const Request& request) {
  Fields out;
  out("id", request.id);
  std::visit(DescribeRequest{out}, request.body);
  return out.str();
}

std::string describe(const Response& response) {
  Fields out;
  out("id", response.id)("op", response.op)("status", static_cast<std::uint64_t>(response.status));
  std::visit(DescribeResponse{out}, response.body);
  return out.str();
}

Bytes encoded(const Request& request) {
  Bytes out;
  encode_request(request, out);
  return out;
}

Bytes encoded(const Response& response) {
  Bytes out;
  encode_response(response, out);
  return out;
}

namespace {

TEST(WireSamples, CoverEveryRequestBodyAndEveryResponseBody) {
  std::set<std::size_t> requests;
  for (const RequestSample& sample : request_samples()) requests.insert(sample.request.body.index());
  EXPECT_EQ(requests.size(), std::variant_size_v<RequestBody>);
  std::set<std::size_t> responses;
  for (const ResponseSample& sample : response_samples()) responses.insert(sample.response.body.index());
  EXPECT_EQ(responses.size(), std::variant_size_v<ResponseBody>);
}

TEST(WireSamples, DescribeTellsEverySampleFromEveryOther) {
  std::set<std::string> seen;
  for (const RequestSample& sample : request_samples()) EXPECT_TRUE(seen.insert(describe(sample.request)).second) << sample.name;
  for (const ResponseSample& sample : response_samples()) EXPECT_TRUE(seen.insert(describe(sample.response)).second) << sample.name;
}

}  // namespace
}  // namespace statefs
