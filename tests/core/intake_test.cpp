#include "core/intake.h"

#include <gtest/gtest.h>

#include "core/limits.h"

namespace statefs {
namespace {

const ByteView key = as_bytes("/state/shared/a");

Bytes put_frame(std::uint64_t id, std::size_t value_size) {
  const Bytes value(value_size, 0x5a);
  PutRequest put;
  put.key = key;
  put.value = value;
  put.value_size = static_cast<std::uint32_t>(value_size);
  Bytes out;
  encode_request(Request{id, put}, out);
  return out;
}

Bytes get_frame(std::uint64_t id) {
  GetRequest get;
  get.key = key;
  get.length = 100;
  Bytes out;
  encode_request(Request{id, get}, out);
  return out;
}

void append(Bytes& to, ByteView from) { to.insert(to.end(), from.begin(), from.end()); }

std::vector<std::uint64_t> ids_of(Intake& intake, ByteView bytes, std::size_t step) {
  std::vector<std::uint64_t> ids;
  Bytes spare;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    intake.borrow(spare);
    append(intake.buffer(), bytes.subspan(at, std::min(step, bytes.size() - at)));
    while (intake.next() == Intake::Item::request) ids.push_back(intake.request().id);
    intake.give_back(spare);
  }
  return ids;
}

TEST(Intake, YieldsTheSameRequestsHoweverTheBytesArrive) {
  Bytes stream = get_frame(1);
  append(stream, put_frame(2, 300));
  append(stream, put_frame(3, 0));
  append(stream, get_frame(4));
  for (std::size_t step = 1; step <= stream.size(); ++step) {
    Intake intake;
    EXPECT_EQ(ids_of(intake, stream, step), (std::vector<std::uint64_t>{1, 2, 3, 4})) << step;
    EXPECT_EQ(intake.held_size(), 0u);
  }
}

TEST(Intake, DecidesAnOversizeValueBeforeItsBodyArrivesAndNeverHoldsIt) {
  const Bytes frame = put_frame(7, limits::value_size_max + 1);
  Intake intake;
  Bytes spare;
  const std::size_t prefix = limits::frame_header_size + 40 + key.size();
  intake.borrow(spare);
  append(intake.buffer(), ByteView(frame).first(prefix));
  ASSERT_EQ(intake.next(), Intake::Item::request);
  const auto& put = std::get<PutRequest>(intake.request().body);
  EXPECT_EQ(put.value_size, limits::value_size_max + 1);
  EXPECT_TRUE(put.value.empty());
  intake.give_back(spare);
  for (std::size_t at = prefix; at < frame.size(); at += 1000) {
    intake.borrow(spare);
    append(intake.buffer(), ByteView(frame).subspan(at, std::min<std::size_t>(1000, frame.size() - at)));
    EXPECT_EQ(intake.next(), Intake::Item::need_more);
    intake.give_back(spare);
    EXPECT_EQ(intake.capacity(), 0u);
  }
  EXPECT_EQ(ids_of(intake, get_frame(8), 5), std::vector<std::uint64_t>{8}) << "the frame behind a skipped body is found";
}

TEST(Intake, HoldsAValueAtTheLimit) {
  const Bytes frame = put_frame(7, limits::value_size_max);
  Intake intake;
  EXPECT_EQ(ids_of(intake, frame, 4096), std::vector<std::uint64_t>{7});
}

TEST(Intake, RefusesAFrameOverTheLimitFromItsHeaderAlone) {
  for (const auto& [size, item] : {std::pair{limits::frame_body_size_max, Intake::Item::need_more},
                                   std::pair{limits::frame_body_size_max + 1, Intake::Item::malformed}}) {
    Intake intake;
    encode_frame_header({0, static_cast<std::uint8_t>(Op::get), 0, 0, 42}, intake.buffer());
    store_le<std::uint32_t>(intake.buffer().data(), static_cast<std::uint32_t>(size));
    EXPECT_EQ(intake.next(), item) << size;
    EXPECT_EQ(intake.header().id, 42u);
  }
}

TEST(Intake, SkipsAnUnknownOpAndGoesOn) {
  Bytes stream;
  encode_frame_header({500, 99, 0, 0, 5}, stream);
  stream.resize(stream.size() + 500, 0xee);
  append(stream, get_frame(6));
  Intake intake;
  append(intake.buffer(), stream);
  EXPECT_EQ(intake.next(), Intake::Item::unknown_op);
  EXPECT_EQ(intake.header().id, 5u);
  ASSERT_EQ(intake.next(), Intake::Item::request);
  EXPECT_EQ(intake.request().id, 6u);
}

}  // namespace
}  // namespace statefs
