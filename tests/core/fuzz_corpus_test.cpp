// The committed corpora of the codec's fuzz targets hold every sample and every edge that is named here.
// To write them anew after a change of the wire: STATEFS_WRITE_CORPUS=1 core_tests --gtest_filter='FuzzCorpus.*'
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "core/limits.h"
#include "tests/core/audit_samples.h"
#include "tests/core/wire_samples.h"

namespace statefs {
namespace {

using Corpus = std::map<std::string, Bytes>;

template <typename T>
Bytes with(Bytes frame, std::size_t offset, T value) {
  store_le<T>(frame.data() + offset, value);
  return frame;
}

Bytes sample_frame(std::string_view name) {
  for (const RequestSample& sample : request_samples()) {
    if (sample.name == name) return encoded(sample.request);
  }
  ADD_FAILURE() << name;
  return {};
}

// A PUT that states a value of `size` bytes; only its fixed part and key are here.
Bytes put_prefix(std::uint32_t size) {
  Bytes frame = with<std::uint32_t>(sample_frame("put"), 16 + 28, size);
  frame.resize(16 + 40 + 18);
  return with<std::uint32_t>(std::move(frame), 0, 40 + 18 + size);
}

Corpus frames() {
  Corpus corpus;
  for (const RequestSample& sample : request_samples()) corpus["request_" + sample.name] = encoded(sample.request);
  for (const ResponseSample& sample : response_samples()) corpus["response_" + sample.name] = encoded(sample.response);
  const Bytes put = sample_frame("put");
  corpus["request_unknown_op"] = with<std::uint8_t>(put, 4, 99);
  corpus["request_unknown_flag"] = with<std::uint8_t>(put, 5, 4);
  corpus["request_with_status"] = with<std::uint16_t>(put, 6, 1);
  corpus["request_with_response_bit"] = with<std::uint8_t>(put, 4, 0x81);
  corpus["request_sequence_without_session"] = with<std::uint64_t>(put, 16 + 8, 1);
  corpus["request_condition_without_flag"] = with<std::uint64_t>(put, 16 + 16, 1);
  corpus["request_key_beyond_body"] = with<std::uint16_t>(put, 16 + 34, 0xffff);
  corpus["request_reserved_not_zero"] = with<std::uint8_t>(put, 16 + 39, 1);
  const Bytes stage = sample_frame("stage");
  corpus["stage_chunk_beyond_total"] = with<std::uint64_t>(stage, 16 + 16, 0x100000);
  corpus["stage_offset_of_ones"] = with<std::uint64_t>(stage, 16 + 16, ~std::uint64_t{0});
  corpus["stage_total_of_ones"] = with<std::uint64_t>(stage, 16 + 8, ~std::uint64_t{0});
  Bytes empty = with<std::uint32_t>(with<std::uint32_t>(stage, 16 + 24, 0), 0, 32 + 18);
  empty.resize(16 + 32 + 18);
  corpus["stage_empty_chunk"] = std::move(empty);
  corpus["put_staged_of_another_size"] = with<std::uint32_t>(sample_frame("put_staged"), 16 + 28, 47);
  corpus["header_over_frame_limit"] = with<std::uint32_t>(put, 0, limits::frame_body_size_max + 1);
  corpus["header_of_largest_size"] = with<std::uint32_t>(put, 0, 0xffffffff);
  corpus["response_status_that_is_none"] = with<std::uint16_t>(encoded(response_samples().front().response), 6, 9);
  return corpus;
}

Corpus frame_decode_corpus() {
  Corpus corpus = frames();
  corpus["header_cut"] = Bytes(15, 0);
  corpus["body_cut"] = sample_frame("get");
  corpus["body_cut"].pop_back();
  Bytes two = sample_frame("hello_first");
  encode_request(request_samples().front().request, two);
  corpus["two_frames"] = two;
  return corpus;
}

Corpus request_parse_corpus() {
  Corpus corpus = frames();
  corpus["put_value_at_limit"] = put_prefix(limits::value_size_max);
  corpus["put_value_over_limit"] = put_prefix(limits::value_size_max + 1);
  corpus["put_value_fills_frame"] = put_prefix(limits::frame_body_size_max - 40 - 18);
  return corpus;
}

Corpus audit_decode_corpus() {
  Corpus corpus;
  for (const AuditSample& sample : audit_samples()) encode_audit(sample.record, corpus[sample.name]);
  AuditRecord hostile = sample_mutation();
  hostile.key = "/state/shared/x\"\n\\\xff";
  hostile.key_size = static_cast<std::uint32_t>(hostile.key.size());
  encode_audit(hostile, corpus["mutation_key_forges_a_line"]);
  AuditRecord utf8 = sample_mutation();
  utf8.key = "/state/shared/caf\xc3\xa9";
  utf8.key_size = static_cast<std::uint32_t>(utf8.key.size());
  encode_audit(utf8, corpus["mutation_key_utf8"]);
  corpus["cut"] = corpus["mutation_put_ok"];
  corpus["cut"].pop_back();
  return corpus;
}

void expect_on_disk(const std::string& target, const Corpus& corpus) {
  const std::filesystem::path folder = std::filesystem::path("fuzz/corpus") / target;
  if (std::getenv("STATEFS_WRITE_CORPUS") != nullptr) {
    std::filesystem::create_directories(folder);
    for (const auto& [name, bytes] : corpus) {
      std::ofstream(folder / name, std::ios::binary).write(as_text(bytes).data(), static_cast<std::streamsize>(bytes.size()));
    }
  }
  for (const auto& [name, bytes] : corpus) {
    std::ifstream file(folder / name, std::ios::binary);
    ASSERT_TRUE(file) << folder / name;
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    EXPECT_EQ(to_hex(as_bytes(text)), to_hex(bytes)) << folder / name;
  }
}

TEST(FuzzCorpus, FrameDecodeHoldsEverySampleAndEdge) { expect_on_disk("frame_decode", frame_decode_corpus()); }
TEST(FuzzCorpus, RequestParseHoldsEverySampleAndEdge) { expect_on_disk("request_parse", request_parse_corpus()); }
TEST(FuzzCorpus, AuditDecodeHoldsEverySampleAndEdge) { expect_on_disk("audit_decode", audit_decode_corpus()); }

}  // namespace
}  // namespace statefs
