#include "core/response.h"

#include <gtest/gtest.h>

#include <set>

#include "core/limits.h"
#include "tests/core/wire_samples.h"

namespace statefs {
namespace {

constexpr std::size_t header_size = limits::frame_header_size;
constexpr std::array all_ops{Op::put,  Op::get,    Op::del,   Op::list,    Op::sync, Op::hello,
                             Op::open, Op::resume, Op::close, Op::outcome, Op::stage};

struct Decoding {
  Bytes body;
  Result<Response, ResponseError> result;
  Decoding(ByteView frame, std::size_t size)
      : body(frame.begin() + header_size, frame.begin() + static_cast<std::ptrdiff_t>(header_size + size)),
        result(decode_response(load_frame_header(frame), body)) {}
  explicit Decoding(ByteView frame) : Decoding(frame, frame.size() - header_size) {}
};

bool is_malformed(ByteView frame) {
  const Decoding decoding(frame);
  return !decoding.result.ok() && decoding.result.error() == ResponseError::malformed;
}

template <typename T>
Bytes with(Bytes frame, std::size_t offset, T value) {
  store_le<T>(frame.data() + offset, value);
  return frame;
}

Bytes resized(Bytes frame) {
  store_le<std::uint32_t>(frame.data(), static_cast<std::uint32_t>(frame.size() - header_size));
  return frame;
}

Response list_of(std::size_t count, ByteView key) {
  ListResponse list;
  list.entries.assign(count, ListEntry{1, 2, key});
  return {1, static_cast<std::uint8_t>(Op::list), Status::ok, list};
}

TEST(ResponseCodec, ValuesComeBackFromBytes) {
  for (const ResponseSample& sample : response_samples()) {
    const Bytes frame = encoded(sample.response);
    const Decoding decoding(frame);
    ASSERT_TRUE(decoding.result.ok()) << sample.name;
    EXPECT_EQ(describe(decoding.result.value()), describe(sample.response)) << sample.name;
    EXPECT_EQ(to_hex(encoded(decoding.result.value())), to_hex(frame)) << sample.name;
  }
}

TEST(ResponseCodec, EveryStatusOfEveryOpRoundTrips) {
  for (const Op op : all_ops) {
    for (const Status status : all_statuses()) {
      const Response response = refusal(0x0102030405060708, static_cast<std::uint8_t>(op), status);
      const Bytes frame = encoded(response);
      const FrameHeader header = load_frame_header(frame);
      EXPECT_EQ(header.op, static_cast<std::uint8_t>(op) | 0x80);
      EXPECT_EQ(header.status, static_cast<std::uint16_t>(status));
      EXPECT_EQ(header.body_size == 0, status == Status::malformed || status == Status::unsupported);
      const Decoding decoding(frame);
      ASSERT_TRUE(decoding.result.ok()) << static_cast<int>(op) << " " << name_of(status);
      EXPECT_EQ(describe(decoding.result.value()), describe(response));
    }
  }
}

TEST(ResponseDecode, EveryTruncationIsIncomplete) {
  for (const ResponseSample& sample : response_samples()) {
    const Bytes frame = encoded(sample.response);
    for (std::size_t size = 0; size + header_size < frame.size(); ++size) {
      const Decoding decoding(frame, size);
      ASSERT_FALSE(decoding.result.ok()) << sample.name << " cut to " << size;
      EXPECT_EQ(decoding.result.error(), ResponseError::incomplete) << sample.name << " cut to " << size;
    }
  }
}

TEST(ResponseDecode, EveryShorterOrLongerBodyIsMalformedButForTheDataOfGet) {
  for (const ResponseSample& sample : response_samples()) {
    for (const int change : {-1, 1}) {
      Bytes frame = encoded(sample.response);
      if (change < 0 && frame.size() == header_size) continue;
      frame.resize(frame.size() + static_cast<std::size_t>(change));
      const bool takes_the_rest = sample.name == "get_ok";
      EXPECT_EQ(is_malformed(resized(frame)), !takes_the_rest) << sample.name << " " << change;
    }
  }
}

TEST(ResponseDecode, EveryChangedByteIsMalformedOrAnotherCanonicalResponse) {
  std::size_t malformed = 0;
  std::size_t decoded = 0;
  for (const ResponseSample& sample : response_samples()) {
    const Bytes original = encoded(sample.response);
    for (std::size_t at = 4; at < original.size(); ++at) {
      for (int value = 0; value < 256; ++value) {
        Bytes frame = original;
        frame[at] = static_cast<std::uint8_t>(value);
        const Decoding decoding(frame);
        if (decoding.result.ok()) {
          ASSERT_TRUE(equal(encoded(decoding.result.value()), frame)) << sample.name << " byte " << at << " = " << value;
          decoded += 1;
        } else {
          ASSERT_EQ(decoding.result.error(), ResponseError::malformed) << sample.name << " byte " << at << " = " << value;
          malformed += 1;
        }
      }
    }
  }
  EXPECT_GT(malformed, 10'000u);
  EXPECT_GT(decoded, 10'000u);
}

TEST(ResponseDecode, RefusesWhatIsNoResponseNoStatusAndNoOp) {
  const Bytes frame = encoded(response_samples().front().response);
  EXPECT_TRUE(is_malformed(with<std::uint8_t>(frame, 4, 1)));
  EXPECT_TRUE(is_malformed(with<std::uint16_t>(frame, 6, 9)));
  EXPECT_TRUE(is_malformed(with<std::uint16_t>(frame, 6, 48)));
  EXPECT_TRUE(is_malformed(with<std::uint8_t>(frame, 4, 0x86)));
  EXPECT_EQ(decode_response({limits::frame_body_size_max + 1, 0x81, 0, 0, 1}, {}).error(), ResponseError::malformed);
}

TEST(ResponseDecode, OnlyOkCarriesDataEntriesAndSlots) {
  for (const ResponseSample& sample : response_samples()) {
    const bool carries = sample.name == "get_ok" || sample.name == "list_ok" || sample.name == "open_ok" || sample.name == "close_ok";
    const bool is_mutation = sample.response.op == 1 || sample.response.op == 3;
    if (sample.response.status != Status::ok || is_mutation) continue;
    const Bytes refused = with<std::uint16_t>(encoded(sample.response), 6, static_cast<std::uint16_t>(Status::io_error));
    EXPECT_EQ(is_malformed(refused), carries) << sample.name;
  }
}

TEST(ResponseDecode, ListCountAtItsLimit) {
  for (const std::size_t count : {limits::list_entries_max - 1, limits::list_entries_max}) {
    const Bytes frame = encoded(list_of(count, as_bytes("/k")));
    const Decoding decoding(frame);
    ASSERT_TRUE(decoding.result.ok()) << count;
    EXPECT_EQ(std::get<ListResponse>(decoding.result.value().body).entries.size(), count);
  }
  Bytes over = encoded(list_of(limits::list_entries_max, as_bytes("/k")));
  const Bytes entry(over.end() - 20, over.end());
  over.insert(over.end(), entry.begin(), entry.end());
  over = with<std::uint16_t>(resized(over), header_size + 4, static_cast<std::uint16_t>(limits::list_entries_max + 1));
  EXPECT_TRUE(is_malformed(over));
}

TEST(ResponseDecode, ListKeyAtItsLimits) {
  const Bytes key(256, 'k');
  for (const std::size_t size : {1u, 254u, 255u}) {
    EXPECT_TRUE(Decoding(encoded(list_of(1, ByteView(key).first(size)))).result.ok()) << size;
  }
  Bytes over = encoded(list_of(1, ByteView(key).first(255)));
  over.push_back('k');
  EXPECT_TRUE(is_malformed(with<std::uint16_t>(resized(over), header_size + 8 + 16, 256)));
  Bytes empty = encoded(list_of(1, ByteView(key).first(1)));
  empty.pop_back();
  EXPECT_TRUE(is_malformed(with<std::uint16_t>(resized(empty), header_size + 8 + 16, 0)));
}

TEST(ResponseDecode, GetDataAtItsLimit) {
  const Bytes data(limits::value_size_max + 1, 0x5a);
  for (const std::size_t size : {limits::value_size_max - 1, limits::value_size_max}) {
    const Bytes frame = encoded(Response{1, 2, Status::ok, GetResponse{1, size, 0, ByteView(data).first(size)}});
    const Decoding decoding(frame);
    ASSERT_TRUE(decoding.result.ok()) << size;
    EXPECT_EQ(std::get<GetResponse>(decoding.result.value().body).data.size(), size);
  }
  Bytes over = encoded(Response{1, 2, Status::ok, GetResponse{1, 2, 0, ByteView(data).first(limits::value_size_max)}});
  over.push_back(0);
  EXPECT_TRUE(is_malformed(resized(over)));
}

TEST(ResponseStatus, EachHasItsOwnNameAndNoOtherNumberHasOne) {
  std::set<std::string_view> names;
  for (const Status status : all_statuses()) EXPECT_TRUE(names.insert(name_of(status)).second) << name_of(status);
  std::size_t count = 0;
  for (std::uint32_t number = 0; number <= 0xffff; ++number) {
    if (!is_status(static_cast<std::uint16_t>(number))) continue;
    count += 1;
    EXPECT_TRUE(number <= 8 || (number >= 32 && number <= 47)) << number;
  }
  EXPECT_EQ(count, all_statuses().size());
  EXPECT_EQ(count, names.size());
  EXPECT_EQ(name_of(Status::ok), "OK");
  EXPECT_EQ(name_of(Status::access_denied), "ACCESS_DENIED");
  EXPECT_EQ(name_of(Status::sequence_gap), "SEQ_GAP");
  EXPECT_EQ(name_of(Status::digest_mismatch), "DIGEST_MISMATCH");
}

}  // namespace
}  // namespace statefs
