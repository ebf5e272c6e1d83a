#include "core/request.h"

#include <gtest/gtest.h>

#include "core/limits.h"
#include "tests/core/wire_samples.h"

namespace statefs {
namespace {

constexpr std::size_t header_size = limits::frame_header_size;

// Decodes a frame of which `size` body bytes are there, from an allocation of exactly that size, so that a read past
// the end is seen by the address sanitizer.
struct Decoding {
  Bytes body;
  Result<Request, RequestError> result;
  Decoding(ByteView frame, std::size_t size)
      : body(frame.begin() + header_size, frame.begin() + static_cast<std::ptrdiff_t>(header_size + size)),
        result(decode_request(load_frame_header(frame), body)) {}
  explicit Decoding(ByteView frame) : Decoding(frame, frame.size() - header_size) {}
};

RequestError error_of(ByteView frame) {
  const Decoding decoding(frame);
  return decoding.result.ok() ? RequestError{99} : decoding.result.error();
}

template <typename T>
Bytes with(Bytes frame, std::size_t offset, T value) {
  store_le<T>(frame.data() + offset, value);
  return frame;
}

// A frame whose header agrees with the length of what follows.
Bytes resized(Bytes frame) {
  store_le<std::uint32_t>(frame.data(), static_cast<std::uint32_t>(frame.size() - header_size));
  return frame;
}

TEST(RequestCodec, ValuesComeBackFromBytes) {
  for (const RequestSample& sample : request_samples()) {
    const Bytes frame = encoded(sample.request);
    const Decoding decoding(frame);
    ASSERT_TRUE(decoding.result.ok()) << sample.name;
    Request expected = sample.request;
    if (auto* put = std::get_if<PutRequest>(&expected.body); put != nullptr && put->stage) {
      put->value = ByteView(frame).last(48);  // a staged PUT shows the encoding of its stage as value
      put->value_size = 48;
    }
    EXPECT_EQ(describe(decoding.result.value()), describe(expected)) << sample.name;
  }
}

TEST(RequestCodec, BytesComeBackFromValues) {
  for (const RequestSample& sample : request_samples()) {
    const Bytes frame = encoded(sample.request);
    const Decoding decoding(frame);
    ASSERT_TRUE(decoding.result.ok()) << sample.name;
    EXPECT_EQ(to_hex(encoded(decoding.result.value())), to_hex(frame)) << sample.name;
  }
}

TEST(RequestCodec, HeaderNamesTheOpAndTheSizeAndNoStatus) {
  for (const RequestSample& sample : request_samples()) {
    const Bytes frame = encoded(sample.request);
    const FrameHeader header = load_frame_header(frame);
    EXPECT_EQ(header.body_size, frame.size() - header_size) << sample.name;
    EXPECT_EQ(header.op, static_cast<std::uint8_t>(op_of(sample.request.body))) << sample.name;
    EXPECT_EQ(header.status, 0) << sample.name;
    EXPECT_EQ(header.id, sample.request.id) << sample.name;
  }
}

TEST(RequestCodec, AppendsBehindWhatIsThere) {
  for (const RequestSample& sample : request_samples()) {
    Bytes out{0xee, 0xee};
    encode_request(sample.request, out);
    EXPECT_EQ(to_hex(out), "eeee" + to_hex(encoded(sample.request))) << sample.name;
  }
}

TEST(RequestDecode, EveryTruncationIsIncomplete) {
  for (const RequestSample& sample : request_samples()) {
    const Bytes frame = encoded(sample.request);
    for (std::size_t size = 0; size + header_size < frame.size(); ++size) {
      const Decoding decoding(frame, size);
      ASSERT_FALSE(decoding.result.ok()) << sample.name << " cut to " << size;
      EXPECT_EQ(decoding.result.error(), RequestError::incomplete) << sample.name << " cut to " << size;
    }
  }
}

TEST(RequestDecode, EveryShorterOrLongerBodyIsMalformedUnlessItsLastFieldGrows) {
  for (const RequestSample& sample : request_samples()) {
    for (const int change : {-1, 1}) {
      Bytes frame = encoded(sample.request);
      frame.resize(frame.size() + static_cast<std::size_t>(change));
      // No op has a field that takes what is left: every size is stated twice and must agree.
      EXPECT_EQ(error_of(resized(frame)), RequestError::malformed) << sample.name << " " << change;
    }
  }
}

TEST(RequestDecode, EveryChangedByteIsMalformedOrAnotherCanonicalRequest) {
  std::size_t malformed = 0;
  std::size_t decoded = 0;
  for (const RequestSample& sample : request_samples()) {
    const Bytes original = encoded(sample.request);
    for (std::size_t at = 4; at < original.size(); ++at) {
      for (int value = 0; value < 256; ++value) {
        Bytes frame = original;
        frame[at] = static_cast<std::uint8_t>(value);
        const Decoding decoding(frame);
        if (decoding.result.ok()) {
          const Request& request = decoding.result.value();
          ASSERT_TRUE(equal(encoded(request), frame)) << sample.name << " byte " << at << " = " << value;
          decoded += 1;
        } else if (decoding.result.error() == RequestError::malformed) {
          malformed += 1;
        } else {
          ASSERT_EQ(decoding.result.error(), RequestError::unknown_op) << sample.name << " byte " << at << " = " << value;
          ASSERT_EQ(at, 4u) << sample.name;
        }
      }
    }
  }
  EXPECT_GT(malformed, 10'000u);
  EXPECT_GT(decoded, 10'000u);
}

TEST(RequestDecode, UnknownOpsAreUnknownWhateverTheirFlagsAndBody) {
  for (int op = 0; op < 128; ++op) {
    const bool known = (op >= 1 && op <= 5) || (op >= 16 && op <= 21);
    const auto result = decode_request({100, static_cast<std::uint8_t>(op), 0xff, 0, 1}, {});
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error(), known ? RequestError::malformed : RequestError::unknown_op) << op;
  }
}

TEST(RequestDecode, RefusesAStatusAndTheResponseBit) {
  const Bytes frame = encoded(request_samples().front().request);
  EXPECT_EQ(error_of(with<std::uint16_t>(frame, 6, 1)), RequestError::malformed);
  for (int op = 128; op < 256; ++op) {
    EXPECT_EQ(error_of(with(frame, 4, static_cast<std::uint8_t>(op))), RequestError::malformed) << op;
  }
}

TEST(RequestDecode, RefusesAHeaderOverTheFrameLimit) {
  const FrameHeader header{limits::frame_body_size_max + 1, 1, 0, 0, 1};
  EXPECT_EQ(decode_request(header, {}).error(), RequestError::malformed);
}

TEST(RequestDecode, RefusesAnInconsistentFixedPartWithoutWaitingForTheRest) {
  for (const RequestSample& sample : request_samples()) {
    Bytes frame = encoded(sample.request);
    FrameHeader header = load_frame_header(frame);
    header.body_size += 1;
    const std::size_t fixed = std::min<std::size_t>(frame.size() - header_size, 40);
    const auto result = decode_request(header, ByteView(frame).subspan(header_size, fixed));
    ASSERT_FALSE(result.ok()) << sample.name;
    EXPECT_EQ(result.error(), RequestError::malformed) << sample.name;
  }
}

TEST(RequestDecode, SessionZeroHasNoSequenceGenerationOrSlot) {
  const Bytes put = encoded({1, PutRequest{.at = {}, .expected_revision = {}, .key = as_bytes("/k"), .value_size = 0, .value = {}, .stage = {}}});
  const Bytes del = encoded({1, DeleteRequest{{}, {}, as_bytes("/k")}});
  ASSERT_TRUE(Decoding(put).result.ok());
  ASSERT_TRUE(Decoding(del).result.ok());
  EXPECT_EQ(error_of(with<std::uint64_t>(put, header_size + 8, 1)), RequestError::malformed);
  EXPECT_EQ(error_of(with<std::uint32_t>(put, header_size + 24, 1)), RequestError::malformed);
  EXPECT_EQ(error_of(with<std::uint16_t>(put, header_size + 32, 1)), RequestError::malformed);
  EXPECT_EQ(error_of(with<std::uint64_t>(del, header_size + 8, 1)), RequestError::malformed);
  EXPECT_EQ(error_of(with<std::uint32_t>(del, header_size + 24, 1)), RequestError::malformed);
  EXPECT_EQ(error_of(with<std::uint16_t>(del, header_size + 28, 1)), RequestError::malformed);
}

TEST(RequestDecode, AConditionWithoutItsFlagIsMalformed) {
  const Bytes put = encoded({1, PutRequest{.at = {}, .expected_revision = {}, .key = as_bytes("/k"), .value_size = 0, .value = {}, .stage = {}}});
  const Bytes get = encoded({1, GetRequest{{}, 0, 1, as_bytes("/k")}});
  EXPECT_EQ(error_of(with<std::uint64_t>(put, header_size + 16, 1)), RequestError::malformed);
  EXPECT_EQ(error_of(with<std::uint64_t>(get, header_size, 1)), RequestError::malformed);
  // And with it, 0 is a condition: the key must not exist.
  const Decoding absent(with<std::uint8_t>(put, 5, 1));
  ASSERT_TRUE(absent.result.ok());
  EXPECT_EQ(std::get<PutRequest>(absent.result.value().body).expected_revision, std::optional<std::uint64_t>(0));
}

TEST(RequestDecode, AStagedPutHasExactlyFortyEightBytesOfValue) {
  for (const std::size_t size : {47u, 48u, 49u}) {
    const Bytes value(size, 7);
    const Bytes frame = with<std::uint8_t>(
        encoded({1, PutRequest{.at = {}, .expected_revision = {}, .key = as_bytes("/k"), .value_size = 0, .value = value, .stage = {}}}), 5, 2);
    EXPECT_EQ(Decoding(frame).result.ok(), size == 48) << size;
  }
}

TEST(RequestDecode, AChunkEndsInsideItsTotal) {
  const auto frame = [](std::uint64_t total, std::uint64_t offset) {
    Bytes bytes = encoded({1, StageRequest{1, 100, 0, as_bytes("/k"), 4, as_bytes("abcd")}});
    return with(with(std::move(bytes), header_size + 8, total), header_size + 16, offset);
  };
  EXPECT_TRUE(Decoding(frame(100, 96)).result.ok());
  EXPECT_EQ(error_of(frame(100, 97)), RequestError::malformed);
  EXPECT_EQ(error_of(frame(100, 101)), RequestError::malformed);
  EXPECT_EQ(error_of(frame(3, 0)), RequestError::malformed);
  EXPECT_EQ(error_of(frame(100, ~std::uint64_t{0} - 1)), RequestError::malformed);
  EXPECT_TRUE(Decoding(frame(~std::uint64_t{0}, ~std::uint64_t{0} - 4)).result.ok());
}

// limit - 1, limit, limit + 1 of the value: the one over it is decoded as soon as its key is there, without its value.
TEST(RequestDecode, AValueOverItsLimitIsDecodedFromItsPrefixAlone) {
  constexpr std::size_t key_end = 40 + 2;
  for (const std::size_t size : {limits::value_size_max - 1, limits::value_size_max, limits::value_size_max + 1}) {
    const bool over = size > limits::value_size_max;
    const Bytes value(size, 0x5a);
    const Bytes frame = encoded(
        {1, PutRequest{.at = {}, .expected_revision = {}, .key = as_bytes("/k"), .value_size = 0, .value = value, .stage = {}}});
    EXPECT_EQ(Decoding(frame, key_end - 1).result.error(), RequestError::incomplete);
    const Decoding prefix(frame, key_end);
    ASSERT_EQ(prefix.result.ok(), over) << size;
    const Decoding whole(frame);
    ASSERT_TRUE(whole.result.ok());
    const auto& put = std::get<PutRequest>(whole.result.value().body);
    EXPECT_EQ(put.value_size, size);
    EXPECT_EQ(put.value.size(), over ? 0 : size);
    EXPECT_EQ(as_text(put.key), "/k");
    if (over) {
      EXPECT_EQ(describe(prefix.result.value()), describe(whole.result.value()));
    }
  }
}

TEST(RequestDecode, AChunkOverItsLimitIsDecodedFromItsPrefixAlone) {
  constexpr std::size_t key_end = 32 + 2;
  for (const std::size_t size : {limits::chunk_size_max - 1, limits::chunk_size_max, limits::chunk_size_max + 1}) {
    const bool over = size > limits::chunk_size_max;
    const Bytes chunk(size, 0x5a);
    const Bytes frame = encoded({1, StageRequest{1, 1u << 20, 0, as_bytes("/k"), 0, chunk}});
    ASSERT_EQ(Decoding(frame, key_end).result.ok(), over) << size;
    const Decoding whole(frame);
    ASSERT_TRUE(whole.result.ok());
    EXPECT_EQ(std::get<StageRequest>(whole.result.value().body).chunk_size, size);
    EXPECT_EQ(std::get<StageRequest>(whole.result.value().body).chunk.size(), over ? 0 : size);
  }
}

// The codec carries any key: what is too long is the validator's to say, with its own status.
TEST(RequestDecode, CarriesKeysOverTheKeyLimit) {
  for (const std::size_t size : {0u, 1u, 254u, 255u, 256u, 65'535u}) {
    const Bytes key(size, 'k');
    const Bytes frame = encoded({1, GetRequest{{}, 0, 1, key}});
    const Decoding decoding(frame);
    ASSERT_TRUE(decoding.result.ok()) << size;
    EXPECT_EQ(std::get<GetRequest>(decoding.result.value().body).key.size(), size);
  }
}

TEST(RequestFitsFrame, AtEachLimit) {
  const Bytes bytes(limits::frame_body_size_max + 1, 'x');
  const auto first = [&](std::size_t size) { return ByteView(bytes).first(size); };
  const auto put = [&](std::size_t key, std::size_t value) {
    return RequestBody(PutRequest{.at = {}, .expected_revision = {}, .key = first(key), .value_size = 0, .value = first(value), .stage = {}});
  };
  const std::size_t room = limits::frame_body_size_max - 40;
  EXPECT_TRUE(fits_frame(put(2, room - 2)));
  EXPECT_FALSE(fits_frame(put(2, room - 1)));
  EXPECT_TRUE(fits_frame(put(255, limits::value_size_max)));
  EXPECT_TRUE(fits_frame(GetRequest{{}, 0, 0, first(65'535)}));
  EXPECT_FALSE(fits_frame(GetRequest{{}, 0, 0, first(65'536)}));
  EXPECT_TRUE(fits_frame(DeleteRequest{{}, {}, first(65'535)}));
  EXPECT_FALSE(fits_frame(DeleteRequest{{}, {}, first(65'536)}));
  EXPECT_TRUE(fits_frame(ListRequest{0, first(limits::frame_body_size_max - 8 - 10'000), first(10'000)}));
  EXPECT_FALSE(fits_frame(ListRequest{0, first(limits::frame_body_size_max - 8 - 10'000), first(10'001)}));
  EXPECT_FALSE(fits_frame(ListRequest{0, {}, first(65'536)}));
  EXPECT_FALSE(fits_frame(StageRequest{1, 1u << 20, 0, first(65'535), 0, first(5'000)}));
  // What fits encodes to exactly the largest frame.
  EXPECT_EQ(encoded({1, put(2, room - 2)}).size(), limits::frame_size_max);
}

}  // namespace
}  // namespace statefs
